package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config is what a probe needs. Zero durations and numbers have defaults.
type Config struct {
	BaseURL   string // https://{org}.api.kustomerapp.com
	APIKey    string
	Transport http.RoundTripper
	Timeout   time.Duration // of one request; kustomer.timeout

	// Message is the id of the message to write to.
	Message string
	// Attributes are custom attributes of text that may be written: none, or one,
	// or, to learn whether custom is merged, two. Their names end in Str or Txt.
	Attributes []string
	// MaxBytes is the size of request to try; batch.max_bytes.
	MaxBytes int
	// BackupDir is where the message's state is kept meanwhile.
	BackupDir string
	// Confirm sees what is going to be touched before anything is written. Its
	// error ends the probe with nothing changed.
	Confirm func(Plan) error

	Rounds         int           // of the question of order. Default 5
	MaxRequests    int           // for the questions. Default 40
	OperationWait  time.Duration // for the end of one operation. Default 2m
	StrayWait      time.Duration // for what a lost reply may have started. Default 30s
	RestoreTimeout time.Duration // of the whole restoration. Default 5m
}

// Plan is what is going to be touched: names and kinds, no values.
type Plan struct {
	Message, Host string
	Requests      int
	Touches       []Touch
	Skips         []string
	Backup        string
}

// Touch is a member that will be written.
type Touch struct{ Name, Kind, How string }

// prober is one run.
type prober struct {
	cfg    Config
	client *client
	report *Report
	nonce  string
	ghost  string
	blind  bool // the message can't be read: it is not touched

	before  state
	subject bool // the message shows one
	touched map[string]bool
	values  int
	refs    bool // items carry _clientRef

	open             []*operation
	strays           int             // writes of unknown outcome
	durations        []time.Duration // of operations
	middles          []time.Duration // the same, guessed better where not told
	guessed          int             // how many were not told
	firsts           map[string]int
	shape            string
	echoed, referred int
}

// Run asks. The report is nil when nothing was written. With a report, an error
// says why not everything was asked, or that the message is not as it was.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg = cfg.withDefaults()
	host, err := cfg.check()
	if err != nil {
		return nil, err
	}
	nonce := strings.ToLower(rand.Text()[:16])
	p := &prober{
		cfg: cfg, nonce: nonce, ghost: fmt.Sprintf("ffffffff%x", nonce[:8]),
		client: &client{
			base: strings.TrimRight(cfg.BaseURL, "/"), key: cfg.APIKey, transport: cfg.Transport,
			timeout: cfg.Timeout, limit: cfg.MaxRequests,
		},
		report: newReport(cfg, host), touched: map[string]bool{}, firsts: map[string]int{},
	}
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	plan := p.plan(host)
	if err := cfg.Confirm(plan); err != nil {
		return nil, err
	}
	var kept backup
	if !p.blind {
		if kept, err = keep(plan.Backup, p.client.base, p.body(0, []members{p.original()})); err != nil {
			return nil, err
		}
	}
	p.refs = true
	asked := p.askAll(ctx)
	if asked != nil && ctx.Err() != nil {
		asked = errors.New("interrupted")
	}
	p.restore(ctx)
	return p.report, p.conclude(asked, kept)
}

// conclude fills in the rest of the report.
func (p *prober) conclude(asked error, kept backup) error {
	r := p.report
	p.answerReplies()
	p.answerDurations()
	p.client.seen.answer(p)
	r.Requests = p.client.used
	if asked != nil {
		r.Stopped = asked.Error()
		asked = fmt.Errorf("not everything was asked: %w", asked)
	}
	if r.Restored {
		return errors.Join(asked, kept.remove())
	}
	r.ByHand = byHand(p.client.base, kept.path)
	return errors.Join(asked, fmt.Errorf("message %s is not as it was; what it was is in %s", r.Message, kept.path))
}

func (c Config) withDefaults() Config {
	setDefault(&c.Rounds, 5)
	setDefault(&c.MaxRequests, 40)
	setDefault(&c.MaxBytes, 1<<20)
	setDefault(&c.Timeout, time.Minute)
	setDefault(&c.OperationWait, 2*time.Minute)
	setDefault(&c.StrayWait, 30*time.Second)
	setDefault(&c.RestoreTimeout, 5*time.Minute)
	return c
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

// check returns the host.
func (c Config) check() (string, error) {
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || u.Host == "":
		return "", errors.New("kustomer.base_url is no address")
	case c.Message == "" || word(c.Message) != c.Message:
		return "", errors.New("the message to probe is no id: give the id of a message in a sandbox, 24 hex digits")
	case len(c.Attributes) > 2 || len(c.Attributes) == 2 && c.Attributes[0] == c.Attributes[1]:
		return "", errors.New("at most two different attributes are of use")
	case c.Transport == nil || c.Confirm == nil:
		return "", errors.New("a transport and a confirmation are needed")
	}
	for _, name := range c.Attributes {
		if !textAttribute(name) {
			return "", fmt.Errorf("attribute %q is no custom attribute of text: its name ends in Str or Txt", name)
		}
	}
	return u.Host, nil
}

// prepare reads the message as it is.
func (p *prober) prepare(ctx context.Context) error {
	r, err := p.client.get(ctx, "/v1/messages/"+p.cfg.Message)
	switch {
	case err != nil:
		return fmt.Errorf("reading the message: %w", err)
	case r.status == http.StatusUnauthorized:
		return errors.New("the API key was refused (401): is it of this org and region?")
	case r.status == http.StatusForbidden:
		p.blind = true
		for _, q := range catalogue {
			p.unknown(q.id, "needs to read the message, which is forbidden (403): give the key a role that reads messages")
		}
		return nil
	case r.status != http.StatusOK:
		return fmt.Errorf("the message to probe can't be read (%s): is it a message of this org?", readRefusal(r))
	}
	if p.before, err = readState(r.body); err != nil {
		return err
	}
	p.subject = p.before.has("subject")
	custom := p.before.custom()
	switch {
	case !p.subject && len(p.cfg.Attributes) == 0:
		return errors.New("there is nothing harmless to write: name two attributes of text with --probe-attribute, or a message that has a subject")
	case len(custom) > 98:
		return errors.New("the message has too many custom attributes: they are written with each request, and 100 are allowed")
	}
	return nil
}

// plan says what is going to be touched.
func (p *prober) plan(host string) Plan {
	plan := Plan{Message: p.cfg.Message, Host: host, Requests: p.cfg.MaxRequests}
	if p.blind {
		plan.Requests = 6
		return plan
	}
	plan.Backup = backupPath(p.cfg.BackupDir, p.cfg.Message)
	touch := func(m members, name, prefix, how string) {
		plan.Touches = append(plan.Touches, Touch{prefix + name, kindOf(m[name]), how})
	}
	custom := p.before.custom()
	for _, name := range p.cfg.Attributes {
		how := "is given texts and null"
		if !custom.has(name) {
			how += "; if this org ignores null, a text stays"
		}
		touch(custom, name, "custom.", how)
	}
	if len(p.cfg.Attributes) > 0 {
		for _, name := range differ(custom, members{}) {
			if !slices.Contains(p.cfg.Attributes, name) {
				touch(custom, name, "custom.", "is sent along as it is")
			}
		}
	}
	if p.subject {
		touch(p.before.members, "subject", "", "is given texts and null")
	}
	p.planRest(&plan, touch)
	return plan
}

func (p *prober) planRest(plan *Plan, touch func(m members, name, prefix, how string)) {
	switch out, inner, _ := chooseObjects(p.before.object("meta")); {
	case out == "" && inner == "":
		plan.Skips = append(plan.Skips, "whether objects are replaced: the message has no meta with a member that could be left out")
	default:
		touch(p.before.members, "meta", "", "is written once with a member or two left out")
	}
	if name := p.lacking(); name != "" {
		touch(p.before.members, name, "", "is sent null")
	}
	touch(p.before.members, unknownMember, "", "a member that does not exist, is sent; an org that keeps it is sent null")
	if p.before.has("modifiedAt") {
		touch(p.before.members, "modifiedAt", "", "is set an hour back, where the key may")
	}
	if len(p.cfg.Attributes) < 2 {
		plan.Skips = append(plan.Skips, "whether custom is merged by key: that takes two attributes (--probe-attribute twice)")
		p.unknown(qCustom, "needs two attributes (--probe-attribute twice)")
	}
	if len(p.cfg.Attributes) == 0 {
		p.unknown(qNullCustom, "needs an attribute (--probe-attribute)")
	}
	if !p.subject {
		plan.Skips = append(plan.Skips, "null in subject: the message shows no subject")
		p.unknown(qNull, "the message shows no subject, so it could not be put back")
	}
}

// original is the item that restores everything that may be touched.
func (p *prober) original() members {
	item := members{"id": quote(p.cfg.Message)}
	if p.subject {
		item["subject"] = p.before.members["subject"]
	}
	if p.before.has("meta") {
		item["meta"] = p.before.members["meta"]
	}
	if len(p.cfg.Attributes) > 0 {
		custom := p.before.custom().with(nil)
		for _, name := range p.cfg.Attributes {
			if !custom.has(name) {
				custom[name] = null
			}
		}
		item["custom"] = custom.raw()
	}
	return item
}

// forget stops following an operation that changes nothing.
func (p *prober) forget(op *operation) {
	p.open = slices.DeleteFunc(p.open, func(o *operation) bool { return o == op })
}
