from . import iot_sync
from . import iot_onboarding
