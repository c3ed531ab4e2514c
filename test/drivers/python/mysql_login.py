"""The login that the tests hand over in the environment."""
import os

HOST = os.environ["MYSQL_HOST"]
PORT = int(os.environ["MYSQL_TCP_PORT"])
USER = os.environ["MYSQL_USER"]
PASSWORD = os.environ["MYSQL_PASSWORD"]
DATABASE = "shop"
