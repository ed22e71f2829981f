from . import farm_farm
from . import farm_breed
from . import farm_pen
from . import farm_animal
from . import farm_animal_pedigree
from . import farm_animal_leaving
from . import farm_animal_tag
