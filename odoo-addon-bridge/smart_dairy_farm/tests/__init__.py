from . import test_animal
from . import test_access
from . import test_views
from . import test_animal_tag
from . import test_farm
from . import test_pedigree
from . import test_leaving
