"""Amazon Bedrock and SageMaker's runtime on loopback, wire-true and behaving.

For laptops and tests: boto3, langchain-aws and Airflow's amazon provider talk to it unchanged when
``AWS_ENDPOINT_URL_BEDROCK_RUNTIME`` and its like name it. It knows nothing of Sluice's pipeline.
"""
