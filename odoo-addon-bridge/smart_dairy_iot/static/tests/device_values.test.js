// The latest values on a device's form: drawn when the connector answers, in words when it does not.
import { expect, test } from "@odoo/hoot";
import { queryAllTexts, waitFor } from "@odoo/hoot-dom";
import { animationFrame, Deferred } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { setupChartJsForTests } from "@web/../tests/views/graph/graph_test_helpers";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class IotDevice extends models.Model {
    _name = "iot.device";
    name = fields.Char();
    _records = [{ id: 1, name: "Meter 1" }];
}
defineMailModels();
defineModels([IotDevice]);
setupChartJsForTests();

const open = () =>
    mountView({
        type: "form",
        resModel: "iot.device",
        resId: 1,
        arch: `<form><field name="name"/><widget name="iot_device_values"/></form>`,
    });
const now = Date.now() / 1000;

test("values in a table, with a chart for each that has a course", async () => {
    onRpc("iot.device", "recent_values", () => ({
        message: false,
        hours: 24,
        values: [
            { label: "Vacuum", value: 42.5, unit: "kPa", time: now, doubtful: false, points: [[now - 900, 42], [now, 42.5]] },
            { label: "Pulsation Rate", value: 60, unit: "/min", time: now, doubtful: true, points: [] },
        ],
    }));
    await open();
    await waitFor(".o_iot_device_values canvas");
    expect(queryAllTexts(".o_iot_device_values td:nth-child(2)")).toEqual(["42.5 kPa", "60 /min"]);
    expect(".o_iot_device_values canvas").toHaveCount(1);
    expect(".o_iot_device_values canvas").toHaveAttribute(
        "aria-label",
        "Vacuum in the last 24 hours: 42 to 42.5 kPa"
    );
    expect(queryAllTexts(".o_iot_device_values .badge")).toEqual(["Doubtful"]);
});

test("a connector that is away is told in words", async () => {
    onRpc("iot.device", "recent_values", () => ({ message: "Away (no connection).", hours: 24, values: [] }));
    await open();
    await animationFrame();
    expect(".o_iot_device_values").toHaveText("Away (no connection).");
    expect(".o_field_widget[name=name] input").toHaveValue("Meter 1");
});

test("the form is there before the values, and a failure harms nothing", async () => {
    const answer = new Deferred();
    onRpc("iot.device", "recent_values", () => answer);
    await open();
    expect(".o_field_widget[name=name] input").toHaveValue("Meter 1");
    expect(".o_iot_device_values").toHaveText("Asking the connector…");
    answer.reject(new Error("away"));
    await animationFrame();
    expect(".o_iot_device_values").toHaveText("The latest values cannot be shown now.");
});
