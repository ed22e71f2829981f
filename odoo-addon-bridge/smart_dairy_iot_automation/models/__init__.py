from . import ir_actions_server
from . import ir_config_parameter
