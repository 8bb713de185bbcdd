package deploycheck

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

type rules struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func loadRules(t *testing.T) []rule {
	t.Helper()
	var file rules
	load(t, "deploy/prometheus/rules.yml", &file)
	var list []rule
	for _, g := range file.Groups {
		list = append(list, g.Rules...)
	}
	if len(list) < 10 {
		t.Fatalf("only %d alerts", len(list))
	}
	return list
}

func TestAlertsNameWhatIsExported(t *testing.T) {
	e := export(t)
	placeholder := regexp.MustCompile(`\$labels\.([a-z_]+)`)
	for _, r := range loadRules(t) {
		faults, labels := e.faults(r.Expr)
		for _, fault := range faults {
			t.Errorf("%s: %s", r.Alert, fault)
		}
		for _, text := range r.Annotations {
			for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
				if !strings.Contains(strings.Join(labels, " "), m[1]) {
					t.Errorf("%s speaks of the label %s, which it does not have", r.Alert, m[1])
				}
			}
		}
	}
}

// TestAlertsAreForPeople: each says how bad it is, what to do, and where more
// stands, and is seen to fire in a test of its own.
func TestAlertsAreForPeople(t *testing.T) {
	tests := read(t, "deploy/prometheus/rules_test.yml")
	readme := read(t, "README.md")
	named := regexp.MustCompile(`^KafkaKustomer[A-Z][A-Za-z]+$`)
	anchor := regexp.MustCompile(`^README\.md#(runbook-[a-z-]+)$`)
	seen := map[string]bool{}
	for _, r := range loadRules(t) {
		if !named.MatchString(r.Alert) || seen[r.Alert] {
			t.Errorf("%q is no name, or another's", r.Alert)
		}
		seen[r.Alert] = true
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" || len(r.Annotations["description"]) < 80 {
			t.Errorf("%s does not say what to do", r.Alert)
		}
		to := anchor.FindStringSubmatch(r.Annotations["runbook_url"])
		if to == nil {
			t.Errorf("%s: the runbook is %q", r.Alert, r.Annotations["runbook_url"])
		} else if strings.Contains(readme, "runbook-") && !strings.Contains(readme, to[1]) {
			t.Errorf("%s: README.md has no %s", r.Alert, to[1])
		}
		fires := regexp.MustCompile(`alertname="` + r.Alert + `", alertstate="firing"\}\)'\n +exp_samples: \[\{`)
		if !fires.MatchString(tests) {
			t.Errorf("%s is not seen to fire in rules_test.yml", r.Alert)
		}
	}
}

// TestScraped: what is scraped is the connector of docker-compose.yml, under the
// job that an alert looks for.
func TestScraped(t *testing.T) {
	var file struct {
		Global        map[string]string
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			Job    string                       `yaml:"job_name"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	load(t, "deploy/prometheus/prometheus.yml", &file)
	s := file.ScrapeConfigs[0]
	if s.Job != "kafka-kustomer" || s.Static[0].Targets[0] != "connector:8080" {
		t.Errorf("scraped is %+v", s)
	}
	mounts := strings.Join(loadCompose(t).Services["prometheus"].Volumes, " ")
	if !strings.Contains(mounts, "/etc/prometheus/"+file.RuleFiles[0]+":ro") {
		t.Errorf("%v is not mounted: %s", file.RuleFiles, mounts)
	}
}

// TestPromtool has Prometheus's own tool read and run the rules, where it is.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("no promtool here: rules and their tests were read, not run")
		return
	}
	for _, args := range [][]string{{"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}} {
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Dir = at("deploy/prometheus")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
