package deploycheck

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// target are the labels that Prometheus gives to what it scrapes.
var target = []string{"job", "instance"}

// keywords are what a query may consist of beside metrics.
var keywords = strings.Fields(`
	sum min max count rate increase deriv changes histogram_quantile time absent
	by on and or unless offset`)

var (
	ranges    = regexp.MustCompile(`\[[^\]]*\]`)
	grouping  = regexp.MustCompile(`\b(?:by|on|without|ignoring)\s*\(([^)]*)\)`)
	selector  = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)(?:\{([^}]*)\})?`)
	durations = regexp.MustCompile(`\b\d+[smhd]\b`)
	matcher   = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
)

// faults says what in a query the program does not export. The second result are
// the labels that its series may have.
func (e exported) faults(query string) (faults, labels []string) {
	q := durations.ReplaceAllString(ranges.ReplaceAllString(query, ""), "")
	known := append([]string{"le"}, target...)
	var grouped []string
	for _, g := range grouping.FindAllStringSubmatch(q, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			grouped = append(grouped, strings.TrimSpace(label))
		}
	}
	q = grouping.ReplaceAllString(q, "")
	series := 0
	for _, s := range selector.FindAllStringSubmatch(q, -1) {
		name := s[1]
		if slices.Contains(keywords, name) {
			continue
		}
		series++
		own, there := e.labels[name]
		if !there {
			faults = append(faults, name+" is no metric")
			continue
		}
		known = append(known, own...)
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			faults = append(faults, e.match(name, own, m[1], m[3])...)
		}
	}
	if series == 0 {
		faults = append(faults, "it asks for nothing")
	}
	for _, label := range grouped {
		if !slices.Contains(known, label) {
			faults = append(faults, "no metric in it has a label "+label)
		}
	}
	if len(grouped) > 0 {
		known = grouped
	}
	return faults, known
}

// match says what is wrong with a matcher of a metric with these labels.
func (e exported) match(name string, own []string, label, value string) []string {
	if slices.Contains(target, label) {
		return nil
	}
	if !slices.Contains(own, label) {
		return []string{name + " has no label " + label}
	}
	if strings.ContainsAny(value, "$.*") || e.values[name] == nil {
		return nil
	}
	for v := range strings.SplitSeq(value, "|") {
		if known := e.values[name][label]; !slices.Contains(known, v) {
			return []string{name + " has no " + label + " " + v + ", but " + strings.Join(known, ", ")}
		}
	}
	return nil
}

func TestFaultsAreFound(t *testing.T) {
	e := export(t)
	for query, want := range map[string]string{
		`kafka_kustomer_raedy == 0`: "kafka_kustomer_raedy is no metric",
		`sum by (fate) (rate(kafka_kustomer_events_ended_total{fete="completed"}[5m]))`: "kafka_kustomer_events_ended_total has no label fete",
		`kafka_kustomer_trouble{kind="brakes"}`:                                         "kafka_kustomer_trouble has no kind brakes",
		`sum by (topic) (kafka_kustomer_ready)`:                                         "no metric in it has a label topic",
		`rate(kafka_kustomer_batch_items[5m])`:                                          "kafka_kustomer_batch_items is no metric", // its parts are
		`avg(kafka_kustomer_ready)`:                                                     "avg is no metric",
		`time() - 3`:                                                                    "it asks for nothing",
		`kafka_kustomer_rebalances_total{event=~"revoked|last"}`:                        "kafka_kustomer_rebalances_total has no event last",
	} {
		faults, _ := e.faults(query)
		if len(faults) != 1 || !strings.HasPrefix(faults[0], want) {
			t.Errorf("%s: faults %q, want %q", query, faults, want)
		}
	}
	const good = `sum by (instance, le) (rate(kafka_kustomer_call_duration_seconds_bucket{operation="put", job=~"$job"}[$__rate_interval])) > 0.5 unless on (instance) up offset 1h`
	if faults, labels := e.faults(good); len(faults) > 0 || !slices.Contains(labels, "le") {
		t.Errorf("faults %q, labels %q", faults, labels)
	}
}
