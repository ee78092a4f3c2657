"""SQL cells out of exported Databricks notebooks."""

from bench.notebooks import sql

SQL = """-- Databricks notebook source
 %md
 # a note

-- COMMAND ----------

 %sql
 SELECT 1

-- COMMAND ----------

SELECT 2

-- COMMAND ----------

-- MAGIC %python
-- MAGIC print(3)
"""
PYTHON = """# Databricks notebook source
import os

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT 4
# MAGIC FROM t

# COMMAND ----------

# MAGIC %md
# MAGIC SELECT 5
"""


def test_a_sql_notebook() -> None:
    assert [cell.strip() for cell in sql(SQL, ".sql").split("\n;\n")] == ["SELECT 1", "SELECT 2"]


def test_a_python_notebook() -> None:
    assert sql(PYTHON, ".py").strip() == "SELECT 4\nFROM t"


def test_other_files() -> None:
    assert sql("SELECT 6", ".sql") == "SELECT 6"
    assert sql("import os", ".py") == ""


def test_a_cell_below_its_title() -> None:
    titled = "# COMMAND ----------\n\n# DBTITLE 1,Prep\n %sql\n SELECT 7\n"
    found = sql("# Databricks notebook source\nimport os\n\n" + titled, ".py")
    assert found.strip() == "SELECT 7"
