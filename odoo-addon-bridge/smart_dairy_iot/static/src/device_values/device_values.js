// On a device's form: its latest values and small charts, fetched by one call after the form is there.
import { Component, useEffect, useState } from "@odoo/owl";
import { toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { shortNumber, Sparkline } from "./sparkline";

const { DateTime } = luxon;

export class DeviceValues extends Component {
    static template = "smart_dairy_iot.DeviceValues";
    static components = { Sparkline };
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.state = useState({ isLoading: true, message: false, hours: 24, values: [] });
        useEffect(
            (id) => void this.load(id),
            () => [this.props.record.resId]
        );
    }

    async load(id) {
        if (!id) {
            return;
        }
        this.state.isLoading = true;
        const call = this.orm.silent.call("iot.device", "recent_values", [[id]]);
        // Whatever goes wrong here, the form is not to suffer from it.
        const failed = () => ({ message: _t("The latest values cannot be shown now."), hours: 24, values: [] });
        Object.assign(this.state, await this.keepLast.add(call.catch(failed)), { isLoading: false });
    }

    get chartTitle() {
        return _t("Last %s Hours", this.state.hours);
    }

    number(value) {
        return shortNumber(value);
    }

    time(seconds) {
        return seconds ? toLocaleDateTimeString(DateTime.fromSeconds(seconds)) : "";
    }
}

registry.category("view_widgets").add("iot_device_values", { component: DeviceValues });
