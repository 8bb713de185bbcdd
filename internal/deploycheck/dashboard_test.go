package deploycheck

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kafka-kustomer/internal/metrics"
	"kafka-kustomer/schemas/formats"
)

// dashboard is the part of Grafana's model that is checked.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct {
			Name, Type, Definition string
		}
	}
	Annotations struct {
		List []struct {
			Name, Expr, TextFormat string
		}
	}
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               struct{ Type, UID string }
	Targets                  []struct {
		RefID, Expr, LegendFormat string
		Datasource                struct{ Type, UID string }
	}
}

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "deploy/grafana/dashboards/kafka-kustomer.json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.UID != "kafka-kustomer" || len(d.Panels) < 30 {
		t.Fatalf("uid %q, %d panels", d.UID, len(d.Panels))
	}
	return d
}

func TestDashboardAsksForWhatIsExported(t *testing.T) {
	e := export(t)
	d := loadDashboard(t)
	placeholder := regexp.MustCompile(`\{\{([a-z_]+)\}\}`)
	check := func(where, expr, legend string) {
		faults, labels := e.faults(expr)
		for _, fault := range faults {
			t.Errorf("%s: %s", where, fault)
		}
		for _, m := range placeholder.FindAllStringSubmatch(legend, -1) {
			if !slices.Contains(labels, m[1]) {
				t.Errorf("%s: the legend names the label %s, the series have %v", where, m[1], labels)
			}
		}
		if !strings.Contains(expr, "$instance") && !strings.HasPrefix(expr, "ALERTS") {
			t.Errorf("%s: %s is of all instances, whichever is chosen", where, expr)
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr, target.LegendFormat)
		}
	}
	for _, a := range d.Annotations.List[1:] { // the first is Grafana's own
		check("annotation "+a.Name, a.Expr, a.TextFormat)
	}
	of := regexp.MustCompile(`^label_values\((.*), ([a-z]+)\)$`)
	for _, v := range d.Templating.List[1:] { // the first is the data source
		m := of.FindStringSubmatch(v.Definition)
		if m == nil {
			t.Fatalf("variable %s: %s", v.Name, v.Definition)
		}
		if faults, labels := e.faults(m[1]); len(faults) > 0 || !slices.Contains(labels, m[2]) {
			t.Errorf("variable %s: %v; labels %v", v.Name, faults, labels)
		}
	}
}

// TestDashboardShowsEveryMetric: a metric that nobody looks at is either missing
// here or not worth its series.
func TestDashboardShowsEveryMetric(t *testing.T) {
	var asked strings.Builder
	for _, p := range loadDashboard(t).Panels {
		for _, target := range p.Targets {
			asked.WriteString(target.Expr + "\n")
		}
	}
	// What is left to the status page, or to a look by hand.
	left := regexp.MustCompile(`^kafka_kustomer_(kafka_client_.*|connector_info|batches_total|messages_open)$`)
	for name := range export(t).labels {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "kafka_kustomer_") && !left.MatchString(name) && !strings.Contains(asked.String(), name) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestDashboardKnowsWhatCannotBeRead: the panel of what can't be read has every code of
// decoding and mapping, and none of Kustomer's.
func TestDashboardKnowsWhatCannotBeRead(t *testing.T) {
	const title = "Records that can't be read, by reason"
	panels := loadDashboard(t).Panels
	i := slices.IndexFunc(panels, func(p panel) bool { return p.Title == title })
	if i < 0 {
		t.Fatalf("no panel %q", title)
	}
	m := regexp.MustCompile(`reason=~"([^"]*)"`).FindStringSubmatch(panels[i].Targets[0].Expr)
	if m == nil {
		t.Fatalf("it asks for every reason: %s", panels[i].Targets[0].Expr)
	}
	asked := regexp.MustCompile("^(?:" + m[1] + ")$")
	for _, code := range metrics.DeadLetters {
		if want := slices.Contains(formats.Rejects(), code); asked.MatchString(code) != want {
			t.Errorf("reason %s: shown %v, want %v", code, !want, want)
		}
	}
}

func TestDashboardIsForPeople(t *testing.T) {
	d := loadDashboard(t)
	ids, cells := map[int]string{}, map[string]string{}
	variables := []string{"datasource", "instance", "topic"}
	for i, v := range d.Templating.List {
		if v.Name != variables[i] {
			t.Errorf("variable %d is %s, want %s", i, v.Name, variables[i])
		}
	}
	for _, p := range d.Panels {
		if other, taken := ids[p.ID]; taken {
			t.Errorf("%s and %s have the same id", p.Title, other)
		}
		ids[p.ID] = p.Title
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s does not fit in the width", p.Title)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := fmt.Sprint(p.GridPos.X+x, " ", p.GridPos.Y+y)
				if other, taken := cells[cell]; taken {
					t.Fatalf("%s lies on %s", p.Title, other)
				}
				cells[cell] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Description) < 60 || len(p.Targets) == 0 {
			t.Errorf("%s does not say what to do about it, or asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" || p.Datasource.UID != "${datasource}" {
				t.Errorf("%s asks a data source of its own", p.Title)
			}
		}
	}
}

func TestGrafanaIsProvisioned(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool           `yaml:"isDefault"`
			Editable                     bool           `yaml:"editable"`
			JSONData                     map[string]any `yaml:"jsonData"`
		}
	}
	load(t, "deploy/grafana/provisioning/datasources/prometheus.yml", &sources)
	if s := sources.Datasources[0]; s.URL != "http://prometheus:9090" || s.Type != "prometheus" || !s.IsDefault {
		t.Errorf("data source %+v", s)
	}
	if text := read(t, "deploy/prometheus/prometheus.yml"); !strings.Contains(text, fmt.Sprint("scrape_interval: ", sources.Datasources[0].JSONData["timeInterval"])) {
		t.Errorf("Grafana is told of an interval of %v, which is not Prometheus's", sources.Datasources[0].JSONData["timeInterval"])
	}
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type            string
			AllowUIUpdates        bool `yaml:"allowUiUpdates"`
			DisableDeletion       bool `yaml:"disableDeletion"`
			UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
			Options               struct{ Path string }
		}
	}
	load(t, "deploy/grafana/provisioning/dashboards/kafka-kustomer.yml", &boards)
	grafana := loadCompose(t).Services["grafana"]
	path := boards.Providers[0].Options.Path
	if !slices.Contains(grafana.Volumes, "./deploy/grafana/dashboards:"+path+":ro") || !slices.Contains(grafana.Volumes, "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro") {
		t.Errorf("dashboards are sought in %s, mounted is %v", path, grafana.Volumes)
	}
	if home := grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]; home != path+"/kafka-kustomer.json" {
		t.Errorf("the home page is %s", home)
	}
}
