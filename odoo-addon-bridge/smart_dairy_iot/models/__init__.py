from . import iot_bridge_mixin
from . import iot_bridge_resolver
from . import iot_device
from . import iot_milk_session
from . import iot_alert
from . import farm_animal
from . import farm_farm
from . import iot_bridge_setup
