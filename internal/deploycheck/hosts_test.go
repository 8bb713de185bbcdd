package deploycheck

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"kafka-kustomer/internal/config"
)

func TestSystemdUnit(t *testing.T) {
	unit := map[string][]string{}
	for line := range strings.Lines(read(t, "deploy/kafka-kustomer.service")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '[' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			t.Errorf("no setting: %q", line)
		}
		unit[key] = append(unit[key], value)
	}
	for key, want := range map[string]string{
		"DynamicUser": "yes", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "",
		"Restart": "on-failure", "RestartPreventExitStatus": "2", "KillSignal": "SIGTERM", "LimitCORE": "0",
		"ExecStart":      "/usr/local/bin/kafka-kustomer run -c /etc/kafka-kustomer/config.yaml",
		"LoadCredential": "kustomer-api-key:/etc/kafka-kustomer/kustomer-api-key",
	} {
		if !slices.Equal(unit[key], []string{want}) {
			t.Errorf("%s is %q, want %q", key, unit[key], want)
		}
	}
	// The exit code that is not tried again is also that of a crash of Go's.
	if !slices.Contains(unit["Environment"], "GOTRACEBACK=crash") {
		t.Error("a crash is not tried again: it ends with exit code 2, as a wrong configuration does")
	}
	if pre := unit["ExecStartPre"]; pre != nil {
		t.Errorf("ExecStartPre is %q: systemd knows no exit code of it that is not to be tried again", pre)
	}
	if stop := duration(t, unit["TimeoutStopSec"][0]); stop < config.Default().DrainTimeout+spare {
		t.Errorf("systemd waits %v, and the shutdown may take %v", stop, config.Default().DrainTimeout)
	}
}

// statefulSet is the part of one that is compared with the program.
type statefulSet struct {
	Spec struct {
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Grace           int            `yaml:"terminationGracePeriodSeconds"`
				SecurityContext map[string]any `yaml:"securityContext"`
				Containers      []struct {
					Args            []string
					Env             []struct{ Name string }
					LivenessProbe   probe          `yaml:"livenessProbe"`
					ReadinessProbe  probe          `yaml:"readinessProbe"`
					SecurityContext map[string]any `yaml:"securityContext"`
					VolumeMounts    []struct {
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
			}
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
	Period  int                         `yaml:"periodSeconds"`
	Timeout int                         `yaml:"timeoutSeconds"`
}

func TestKubernetes(t *testing.T) {
	const dir = "deploy/kubernetes/"
	var set statefulSet
	if err := yaml.Unmarshal([]byte(read(t, dir+"statefulset.yaml")), &set); err != nil {
		t.Fatal(err)
	}
	pod := set.Spec.Template.Spec
	c := pod.Containers[0]
	cfg := connector(t, dir+"config.yaml", c.VolumeMounts[1].MountPath+"/kustomer-api-key", map[string]string{c.Env[0].Name: "kafka-kustomer-0"})
	if grace := time.Duration(pod.Grace) * time.Second; grace < cfg.DrainTimeout+spare {
		t.Errorf("Kubernetes waits %v, and the shutdown may take %v", grace, cfg.DrainTimeout)
	}
	if cfg.Source.InstanceID != "kafka-kustomer-0" {
		t.Errorf("the member's static id is %q, not the pod's name", cfg.Source.InstanceID)
	}
	if cfg.Admin.Listen != ":8080" || !strings.Contains(read(t, dir+"statefulset.yaml"), "{name: admin, containerPort: 8080}") {
		t.Errorf("the admin server is on %s", cfg.Admin.Listen)
	}
	for path, p := range map[string]probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
		if p.HTTPGet.Path != path || p.HTTPGet.Port != "admin" || p.Timeout >= p.Period {
			t.Errorf("probe of %s: %+v", path, p)
		}
		if code, _ := program(t).get(path); code != 200 && code != 503 {
			t.Errorf("the program answers %s with %d", path, code)
		}
	}
	if pod.SecurityContext["runAsNonRoot"] != true || c.SecurityContext["readOnlyRootFilesystem"] != true || c.SecurityContext["allowPrivilegeEscalation"] != false {
		t.Errorf("not hardened: %v, %v", pod.SecurityContext, c.SecurityContext)
	}
	if want := []string{"run", "-c", c.VolumeMounts[0].MountPath + "/config.yaml"}; !slices.Equal(c.Args, want) {
		t.Errorf("arguments %v, want %v", c.Args, want)
	}
	selects := "{app.kubernetes.io/name: " + set.Spec.Template.Metadata.Labels["app.kubernetes.io/name"] + "}"
	for _, file := range []string{"service.yaml", "poddisruptionbudget.yaml", "networkpolicy.yaml"} {
		if text := read(t, dir+file); strings.Count(text, selects) != 2 {
			t.Errorf("%s does not select the pods, or is not labelled, by %s", file, selects)
		}
	}
}

// TestKustomizationIsComplete: a manifest that is not listed is never applied.
func TestKustomizationIsComplete(t *testing.T) {
	var k struct {
		APIVersion         string `yaml:"apiVersion"`
		Kind, Namespace    string
		Resources          []string
		ConfigMapGenerator []struct {
			Name  string
			Files []string
		} `yaml:"configMapGenerator"`
		Images []struct {
			Name    string
			NewName string `yaml:"newName"`
			NewTag  string `yaml:"newTag"`
		}
	}
	load(t, "deploy/kubernetes/kustomization.yaml", &k)
	listed := slices.Concat(k.Resources, k.ConfigMapGenerator[0].Files, []string{"kustomization.yaml", "podmonitor.yaml"})
	entries, err := os.ReadDir(at("deploy/kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, e := range entries {
		there = append(there, e.Name())
	}
	slices.Sort(listed)
	if !slices.Equal(there, listed) {
		t.Errorf("in the folder are %v, listed %v", there, listed)
	}
}
