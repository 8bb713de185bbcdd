package deploycheck

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// compose is the part of the Compose specification that docker-compose.yml uses.
type compose struct {
	Name     string
	Services map[string]service
	Secrets  map[string]struct{ File string }
	Volumes  map[string]any
	Hardened any `yaml:"x-hardened"`
	Ours     any `yaml:"x-ours"`
}

type service struct {
	Image, Hostname, User, Restart string
	Build                          *struct {
		Context, Dockerfile string
		Args                map[string]string
	}
	Command, Entrypoint, Ports, Volumes, Secrets, Profiles, Tmpfs []string
	Environment                                                   map[string]string
	DependsOn                                                     map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck                                                   *struct {
		Test              []string
		Interval, Timeout string
		StartPeriod       string `yaml:"start_period"`
		Retries           int
	}
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	ReadOnly    bool     `yaml:"read_only"`
	StopGrace   string   `yaml:"stop_grace_period"`
	MemLimit    string   `yaml:"mem_limit"`
	PidsLimit   int      `yaml:"pids_limit"`
	Logging     struct {
		Driver  string
		Options map[string]string
	}
}

func loadCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	load(t, "docker-compose.yml", &c)
	return c
}

// once are the services that do something and end.
var once = []string{"topics"}

func TestComposeIsHardened(t *testing.T) {
	for name, s := range loadCompose(t).Services {
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may keep or gain capabilities", name)
		}
		if s.User == "" || strings.HasPrefix(s.User, "root") || strings.HasPrefix(s.User, "0") {
			t.Errorf("%s runs as %q", name, s.User)
		}
		if s.MemLimit == "" || s.PidsLimit == 0 || s.Logging.Options["max-size"] == "" {
			t.Errorf("%s is not bounded in memory, processes or log", name)
		}
		if s.Image != "apache/kafka:4.4.0" && !s.ReadOnly { // see its comment
			t.Errorf("%s may write to its root", name)
		}
		if want := map[bool]string{true: "no", false: "unless-stopped"}[slices.Contains(once, name)]; s.Restart != want {
			t.Errorf("%s: restart is %q, want %q", name, s.Restart, want)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s opens %s to other machines", name, port)
			}
		}
		for key := range s.Environment {
			if regexp.MustCompile(`(?i)(password|secret|token|api_?key)$`).MatchString(key) {
				t.Errorf("%s gets %s as a variable; it should be a file", name, key)
			}
		}
	}
}

func TestComposeImagesArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z./-]+:v?\d+\.\d+\.\d+$`)
	for name, s := range loadCompose(t).Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q is not pinned to a release", name, s.Image)
		}
		if s.Build == nil {
			continue
		}
		if _, err := os.Stat(at(s.Build.Dockerfile)); err != nil || s.Build.Context != "." {
			t.Errorf("%s: builds %q in %q: %v", name, s.Build.Dockerfile, s.Build.Context, err)
		}
		for arg := range s.Build.Args {
			if !strings.Contains(read(t, s.Build.Dockerfile), "ARG "+arg) {
				t.Errorf("%s: the Dockerfile has no argument %s", name, arg)
			}
		}
	}
	if !strings.Contains(read(t, "internal/kafkatest/pom.xml"), "<version>4.4.0</version>") {
		t.Error("the tests run on another Kafka than docker-compose.yml")
	}
}

// TestComposeHangsTogether follows what services say of each other and of files.
func TestComposeHangsTogether(t *testing.T) {
	c := loadCompose(t)
	used := map[string]bool{}
	for name, s := range c.Services {
		for on, how := range s.DependsOn {
			dep, there := c.Services[on]
			switch {
			case !there:
				t.Errorf("%s depends on %s, which there is none of", name, on)
			case how.Condition == "service_healthy" && dep.Healthcheck == nil:
				t.Errorf("%s waits for ever for the health of %s", name, on)
			case how.Condition == "service_completed_successfully" && !slices.Contains(once, on):
				t.Errorf("%s waits for the end of %s", name, on)
			}
			if len(dep.Profiles) > 0 && !slices.Equal(dep.Profiles, s.Profiles) {
				t.Errorf("%s depends on %s, which is not always there", name, on)
			}
		}
		if s.Healthcheck == nil && !slices.Contains(once, name) && len(s.Profiles) == 0 {
			t.Errorf("%s has no healthcheck", name)
		}
		for _, v := range s.Volumes {
			from, rest, _ := strings.Cut(v, ":")
			if _, named := c.Volumes[from]; named {
				used[from] = true
				continue
			}
			if !strings.HasPrefix(from, "./") || !strings.HasSuffix(rest, ":ro") {
				t.Errorf("%s mounts %s, neither a declared volume nor a file for reading", name, v)
			} else if _, err := os.Stat(at(from)); err != nil {
				t.Errorf("%s mounts a file that is not there: %v", name, err)
			}
		}
		for _, secret := range s.Secrets {
			used[secret] = true
			if _, declared := c.Secrets[secret]; !declared {
				t.Errorf("%s uses the secret %s, which is not declared", name, secret)
			}
		}
	}
	for _, declared := range slices.Concat(slices.Collect(maps.Keys(c.Volumes)), slices.Collect(maps.Keys(c.Secrets))) {
		if !used[declared] {
			t.Errorf("%s is declared and not used", declared)
		}
	}
}

func TestComposeRunsTheConnector(t *testing.T) {
	c := loadCompose(t)
	s := c.Services["connector"]
	cfg := connector(t, "deploy/compose/config.yaml", "/run/secrets/"+s.Secrets[0], nil)
	if grace := duration(t, s.StopGrace); grace < cfg.DrainTimeout+spare {
		t.Errorf("Docker waits %v, and the shutdown may take %v", grace, cfg.DrainTimeout)
	}
	if !slices.Contains(s.Ports, "127.0.0.1"+cfg.Admin.Listen+cfg.Admin.Listen) {
		t.Errorf("ports %v, and the admin server is on %s", s.Ports, cfg.Admin.Listen)
	}
	if !slices.Contains(s.Volumes, "./deploy/compose/config.yaml:"+s.Command[2]+":ro") {
		t.Errorf("%v reads another file than is mounted: %v", s.Command, s.Volumes)
	}
	file := regexp.MustCompile(`^\$\{KUSTOMER_API_KEY_FILE:-(.+)\}$`).FindStringSubmatch(c.Secrets[s.Secrets[0]].File)
	if file == nil {
		t.Fatalf("the key's file is %q", c.Secrets[s.Secrets[0]].File)
	}
	if info, err := os.Stat(at(file[1])); err != nil || info.Mode().Perm()&0o004 == 0 {
		t.Errorf("the key's file can't be read by another user: %v, %v", info, err)
	}
	brokers := c.Services["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"]
	if !strings.Contains(brokers, "://"+cfg.Kafka.Brokers[0]+",") {
		t.Errorf("the connector's broker is %v, those advertised are %s", cfg.Kafka.Brokers, brokers)
	}
	if c.Services["produce"].Environment["BROKERS"] != cfg.Kafka.Brokers[0] || c.Services["produce"].Environment["TOPIC"] != cfg.Source.Topics[0].Name {
		t.Error("events are produced elsewhere than where the connector reads")
	}
	topics := strings.Join(c.Services["topics"].Command, " ")
	for _, topic := range []string{cfg.Source.Topics[0].Name, cfg.Results.Topic, cfg.DeadLetter.Topic} {
		if !regexp.MustCompile(`\s` + topic + `:\d+[\s;]`).MatchString(topics) {
			t.Errorf("the topic %s is not created", topic)
		}
	}
	if !strings.HasPrefix(cfg.Kustomer.BaseURL, "http://simulator"+c.Services["simulator"].Command[2]) {
		t.Errorf("the connector calls %s, the simulator is started with %v", cfg.Kustomer.BaseURL, c.Services["simulator"].Command)
	}
}

// TestComposeSpellsKafka holds the listeners of Kafka together, which it takes
// from variables without a word about those that it does not know.
func TestComposeSpellsKafka(t *testing.T) {
	env := loadCompose(t).Services["kafka"].Environment
	names := func(list, sep string) []string {
		var found []string
		for part := range strings.SplitSeq(list, ",") {
			name, _, _ := strings.Cut(part, sep)
			found = append(found, name)
		}
		slices.Sort(found)
		return found
	}
	listeners := names(env["KAFKA_LISTENERS"], "://")
	if got := names(env["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"], ":"); !slices.Equal(got, listeners) {
		t.Errorf("listeners %v have protocols %v", listeners, got)
	}
	clients := slices.DeleteFunc(slices.Clone(listeners), func(n string) bool { return n == env["KAFKA_CONTROLLER_LISTENER_NAMES"] })
	if got := names(env["KAFKA_ADVERTISED_LISTENERS"], "://"); !slices.Equal(got, clients) {
		t.Errorf("listeners for clients %v, advertised %v", clients, got)
	}
	if !slices.Contains(clients, env["KAFKA_INTER_BROKER_LISTENER_NAME"]) {
		t.Errorf("brokers talk on %s", env["KAFKA_INTER_BROKER_LISTENER_NAME"])
	}
	_, voter, _ := strings.Cut(env["KAFKA_CONTROLLER_QUORUM_VOTERS"], "@kafka:")
	if !strings.Contains(env["KAFKA_LISTENERS"], "CONTROLLER://:"+voter) {
		t.Errorf("the controller is sought on %s, and listens as in %s", voter, env["KAFKA_LISTENERS"])
	}
}

// TestComposeIsStrict shows that a key with a typing error would be found.
func TestComposeIsStrict(t *testing.T) {
	text := strings.Replace(read(t, "docker-compose.yml"), "    read_only: true", "    read_olny: true", 1)
	if err := yaml.Load([]byte(text), new(compose), yaml.WithKnownFields()); err == nil || !strings.Contains(err.Error(), "read_olny") {
		t.Errorf("a typing error is taken: %v", err)
	}
}
