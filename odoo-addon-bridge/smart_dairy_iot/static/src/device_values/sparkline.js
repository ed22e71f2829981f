// A small line chart of one metric, with Odoo's own Chart.js. A gap in the data is a gap in the line.
import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getColor, hexToRGBA } from "@web/core/colors/colors";
import { toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatFloat } from "@web/core/utils/numbers";

const { DateTime } = luxon;
const HOUR_S = 3600;

/** Up to two decimals, as in 42.5. */
export const shortNumber = (value) =>
    Number.isFinite(value) ? formatFloat(value, { digits: [16, 2], trailingZeros: false }) : String(value);

/** `points` are `[Unix seconds, value]`, oldest first. */
export class Sparkline extends Component {
    static template = "smart_dairy_iot.Sparkline";
    static props = { label: String, unit: String, hours: Number, points: Array };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(() => {
            const chart = new Chart(this.canvas.el, this.config());
            return () => chart.destroy();
        });
    }

    get description() {
        const values = this.props.points.map(([, value]) => value);
        return _t("%(metric)s in the last %(hours)s hours: %(min)s to %(max)s %(unit)s", {
            metric: this.props.label,
            hours: this.props.hours,
            min: shortNumber(Math.min(...values)),
            max: shortNumber(Math.max(...values)),
            unit: this.props.unit,
        });
    }

    config() {
        const { points, hours, unit } = this.props;
        const color = getColor(3, cookie.get("color_scheme"), "odoo");
        const end = DateTime.now().toSeconds();
        const at = (seconds) => toLocaleDateTimeString(DateTime.fromSeconds(seconds));
        return {
            type: "line",
            data: {
                datasets: [
                    {
                        data: points.map(([x, y]) => ({ x, y })),
                        borderColor: color,
                        backgroundColor: hexToRGBA(color, 0.15),
                        borderWidth: 2,
                        fill: "start",
                        pointRadius: points.length < 3 ? 2 : 0,
                        spanGaps: HOUR_S,
                    },
                ],
            },
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: { mode: "nearest", axis: "x", intersect: false },
                layout: { padding: 3 },
                plugins: {
                    legend: { display: false },
                    tooltip: {
                        displayColors: false,
                        callbacks: {
                            title: ([item]) => at(item.parsed.x),
                            label: (item) => `${shortNumber(item.parsed.y)} ${unit}`,
                        },
                    },
                },
                scales: {
                    x: { type: "linear", display: false, min: end - hours * HOUR_S, max: end },
                    y: { display: false, grace: "10%" },
                },
            },
        };
    }
}
