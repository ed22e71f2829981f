from . import test_records
from . import test_upsert
from . import test_milk_session
from . import test_device_alert
from . import test_concurrency
from . import test_access
from . import test_rpc
from . import test_views
