package online

import (
	"context"
	"errors"
	"slices"
	"time"

	"kafka-kustomer/schemas/avro"
	"kafka-kustomer/schemas/registry"
)

const (
	nameRegistry      = "schema registry "
	nameResultsSchema = "schema of results"
	nameSourceSchema  = "schema of source topic "
)

// Registry says what to check of a schema registry.
type Registry struct {
	Instances []*registry.Client // one for each URL; the caller closes them
	Results   ResultsSchema
	Sources   []SourceSchema
}

// ResultsSchema is the schema that results in Avro are written with.
type ResultsSchema struct {
	Subject  string // empty: results are not written in Avro
	Schema   string
	Register bool // a run registers it where it is missing
}

// SourceSchema is the subject under which a topic's producers mostly register.
type SourceSchema struct {
	Topic, Subject string
	Event          bool // no mapping: the values must be message changes
}

// checkRegistry asks each URL by itself, as a client is content with one of them, and
// one that answers for the subjects.
func checkRegistry(ctx context.Context, cfg *Config) []Check {
	r := cfg.Registry
	if r == nil {
		return nil
	}
	errs := make([]error, len(r.Instances))
	instances := make([]func() []Check, len(r.Instances))
	for i, client := range r.Instances {
		instances[i] = func() []Check {
			return []Check{timed(ctx, nameRegistry+client.State().URL, func(ctx context.Context, c *Check) {
				errs[i] = askInstance(ctx, c, client, r.subject(cfg))
			})}
		}
	}
	checks := parallel(instances...)
	answering := slices.Index(errs, nil)
	if answering < 0 {
		return append(checks, skipped("no schema registry answers", r.later()...)...)
	}
	return append(checks, parallel(r.subjects(ctx, r.Instances[answering])...)...)
}

// subject is one to ask an instance for. Where rights are by subject it has to be one
// of ours.
func (r *Registry) subject(cfg *Config) string {
	switch {
	case r.Results.Subject != "":
		return r.Results.Subject
	case len(r.Sources) > 0:
		return r.Sources[0].Subject
	}
	return registry.Subject(cfg.Sources[0])
}

// later are the names of the checks that need a registry that answers.
func (r *Registry) later() (names []string) {
	if r.Results.Subject != "" {
		names = append(names, nameResultsSchema)
	}
	for _, s := range r.Sources {
		names = append(names, nameSourceSchema+s.Topic)
	}
	return names
}

// subjects are the checks of the subjects, in the order of later.
func (r *Registry) subjects(ctx context.Context, client *registry.Client) (groups []func() []Check) {
	one := func(name string, check func(ctx context.Context, c *Check)) {
		groups = append(groups, func() []Check { return []Check{timed(ctx, name, check)} })
	}
	if r.Results.Subject != "" {
		one(nameResultsSchema, func(ctx context.Context, c *Check) { checkResultsSchema(ctx, c, client, r.Results) })
	}
	for _, s := range r.Sources {
		one(nameSourceSchema+s.Topic, func(ctx context.Context, c *Check) { checkSourceSchema(ctx, c, client, s) })
	}
	return groups
}

// askInstance asks for a subject, which need not be there: to say so, in a registry's
// words, is an answer.
func askInstance(ctx context.Context, c *Check, client *registry.Client, subject string) error {
	begin := time.Now()
	if _, err := client.Latest(ctx, subject); err != nil && !isUnknown(err) {
		c.failForRegistry(err)
		return err
	}
	c.found("answers (%v)", time.Since(begin).Round(time.Millisecond))
	return nil
}

func isUnknown(err error) bool { return errors.As(err, new(*registry.UnknownError)) }

// checkResultsSchema goes the way of a run's start, up to the registration, of which
// it can only ask whether it would break the compatibility.
func checkResultsSchema(ctx context.Context, c *Check, client *registry.Client, s ResultsSchema) {
	id, err := client.Lookup(ctx, s.Subject, s.Schema)
	if err == nil {
		c.found("%s has it, id %s", s.Subject, id)
		return
	}
	if !isUnknown(err) {
		c.failForRegistry(err)
		return
	}
	accepts, err := client.Accepts(ctx, s.Subject, s.Schema)
	switch {
	case err != nil:
		c.Found = s.Subject + " does not have it, and whether it may become a version could not be asked"
		c.failForRegistry(err)
	case !accepts:
		c.fail(`compare the subject's compatibility level with what it has ("kafka-kustomer schemas list" shows that), or write to another topic`,
			"%s does not have it, and the registry would refuse it as incompatible with the versions before", s.Subject)
	case !s.Register:
		c.fail(`register it with "kafka-kustomer schemas register", or set schema_registry.auto_register`,
			"%s does not have it, and schema_registry.auto_register is off", s.Subject)
	default:
		c.found("%s does not have it yet; it is compatible, and registered at the start (schema_registry.auto_register)", s.Subject)
		c.unproven("that the login may register it, and that neither the subject nor the registry is read-only")
	}
}

// checkSourceSchema reads the newest version as a run would read a record of it. It
// only warns: records may still be of older versions, or of another subject.
func checkSourceSchema(ctx context.Context, c *Check, client *registry.Client, s SourceSchema) {
	latest, err := client.Latest(ctx, s.Subject)
	if isUnknown(err) {
		c.skip("there is no subject %s: values are in JSON, or their producers name subjects otherwise", s.Subject)
		return
	}
	if err != nil {
		c.failForRegistry(err)
		return
	}
	c.found("version %d of %s, id %s", latest.Number, s.Subject, latest.ID)
	schema, err := client.Schema(ctx, latest.ID)
	var unusable *registry.UnusableError
	switch {
	case errors.As(err, &unusable):
		c.warn(dead, "it can't be used: %s", unusable.Why)
	case isUnknown(err):
		c.warn(dead, "it, or a schema that it refers to, is gone")
	case err != nil:
		c.failForRegistry(err)
	default:
		c.judgeSchema(schema, s.Event)
	}
}

// dead is what comes of records whose schema can't be read.
const dead = "records of this version would be dead-lettered: look at the schema in the registry"

func (c *Check) judgeSchema(schema registry.Schema, event bool) {
	switch schema.Type {
	case registry.Avro:
	case registry.JSON:
		c.add("", "a JSON Schema: values are read as JSON, and it is not looked at")
		return
	default:
		c.warn(dead, "it is of type %s, and values of AVRO and JSON can be read", schema.Type)
		return
	}
	t, err := avro.Compile(schema.Text)
	switch {
	case err != nil:
		c.warn(dead, "%s", err)
	case !event:
		c.add("", "Avro that can be read")
	case t.EventErr() != nil:
		c.warn("records of this version would be dead-lettered: give the topic a mapping, or the schema an event's members", "%s", t.EventErr())
	default:
		c.add("", "Avro of message changes")
	}
}

// failForRegistry fails a check for an error of the registry's client.
func (c *Check) failForRegistry(err error) {
	var unavailable *registry.UnavailableError
	var refused *registry.RefusedError
	var rejected *registry.RejectedError
	switch {
	case errors.As(err, &unavailable):
		c.fail(unavailable.Check, "%s", unavailable.What)
	case errors.As(err, &refused):
		c.fail(refused.Check, "refused (%d)", refused.Status)
	case errors.As(err, &rejected):
		c.fail(rejected.Check, "the registry does not take it (%d, error code %d)", rejected.Status, rejected.Code)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		c.fail("check the network and firewalls between here and the registry, and --timeout", "no answer in time")
	default:
		c.fail("check the registry's log", "%s", err)
	}
}
