"""The view that Airflow has: one DAG a corpus."""
