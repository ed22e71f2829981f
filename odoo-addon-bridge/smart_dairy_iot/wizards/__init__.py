from . import iot_device_accept
from . import iot_sync
from . import iot_onboarding
from . import iot_device_command_wizard
