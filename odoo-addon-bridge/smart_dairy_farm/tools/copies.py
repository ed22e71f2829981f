# What a duplicate is called: never as the original, nor as another record that is there.
from itertools import count


def free_code(code, taken, longest=64):
    """``code`` with _copy behind it, and with a number when that is taken too; letters, digits, - and _ only."""
    for number in count(1):
        end = '_copy' if number == 1 else f'_copy{number}'
        free = code[:longest - len(end)] + end
        if free not in taken:
            return free
    return None


def free_name(env, name, taken):
    """``name`` with (copy) behind it in the user's language, and with a number when that is taken too."""
    for number in count(1):
        free = env._("%s (copy)", name) if number == 1 else env._("%(name)s (copy %(number)s)", name=name, number=number)
        if free not in taken:
            return free
    return None
