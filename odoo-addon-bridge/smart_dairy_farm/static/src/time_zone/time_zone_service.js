// Whoever works on the farm and has no time zone gets that of the browser, and is told so.
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";

export const farmTimeZoneService = {
    dependencies: ["notification", "orm"],
    start(env, { notification, orm }) {
        if (user.tz || !user.userId) {
            return;
        }
        const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
        const tell = (answer) => {
            if (answer === "taken") {
                user.updateContext({ tz: zone });
                notification.add(_t("Your time zone is %s now, as in this browser. Change it in your preferences.", zone), {
                    type: "info",
                    sticky: true,
                });
            } else if (answer === "unknown") {
                notification.add(_t("You have no time zone: days begin at midnight UTC. Choose one in your preferences."), {
                    type: "warning",
                    sticky: true,
                });
            }
        };
        // Beside the start of the screens, which need not wait for it.
        orm.silent.call("res.users", "take_time_zone", [zone]).then(tell, () => {});
    },
};

registry.category("services").add("smart_dairy_farm.time_zone", farmTimeZoneService);
