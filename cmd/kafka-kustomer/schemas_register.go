package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/schemas/registry"
)

// registration is the flags of schemas register.
type registration struct {
	path, subject  string
	asJSON, dryRun bool
}

// registered is what came of one schema, as --json prints it.
type registered struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	State   string `json:"state"` // one of the below
	ID      string `json:"id,omitempty"`
}

// What came of a schema.
const (
	isRegistered  = "registered"
	wasRegistered = "unchanged"  // it was there already
	isAcceptable  = "acceptable" // --dry-run: the registry would take it
)

func newSchemasRegister() *cobra.Command {
	var r registration
	cmd := &cobra.Command{
		Use:   "register [NAME...] -c FILE",
		Short: "Register Avro schemas in the configuration's schema registry",
		Long: `Registers Avro schemas under the subjects of the configuration's topics and prints
their ids: batch-result, or those that are named. What is there already stays as it
is. A registry that does not take a schema, or does not answer, is a failure, exit
code 1: it refuses one that is incompatible with the versions before, by the
subject's compatibility level.

message-change is for producers, which mostly register their own schema, so it must be
named; and so must its subject, where the configuration has several source topics.

With --dry-run nothing is registered: the registry is asked whether it would take them.`,
		ValidArgs: schemaNames,
		Args:      namesOfSchemas(0, len(schemaNames)),
		RunE: func(cmd *cobra.Command, names []string) error {
			if len(names) == 0 {
				names = []string{batchResult}
			}
			return r.run(cmd, names)
		},
	}
	configFlag(cmd, &r.path)
	jsonFlag(cmd, &r.asJSON)
	cmd.Flags().StringVar(&r.subject, "subject", "", "`subject` to register under, of one schema; else that of its topic")
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "only ask whether the registry would take them")
	return cmd
}

func (r *registration) run(cmd *cobra.Command, names []string) error {
	if r.subject != "" && len(names) > 1 {
		return usageError{errors.New("--subject is for one schema; name one, or leave it out")}
	}
	cfg, err := config.Load(r.path)
	if err != nil {
		return usageError{err}
	}
	subjects := make([]string, len(names))
	for i, name := range names {
		if subjects[i], err = r.subjectOf(cfg, name); err != nil {
			return usageError{err}
		}
	}
	reg, err := registry.New(registryConfig(cfg))
	if err != nil {
		return usageError{err}
	}
	defer reg.Close()
	done := []registered{} // what was done is told, also when the next one fails
	for i, name := range names {
		var one registered
		if one, err = r.register(cmd.Context(), reg, name, subjects[i]); err != nil {
			break
		}
		done = append(done, one)
	}
	return errors.Join(err, r.print(cmd, done))
}

func (r *registration) subjectOf(cfg *config.Config, name string) (string, error) {
	if r.subject != "" {
		return r.subject, nil
	}
	subjects := subjectsOf(cfg, name)
	switch {
	case len(subjects) == 0:
		return "", fmt.Errorf("no source topic may have %s in Avro: their formats are json, or their mappings of something else; name the subject with --subject to register it all the same", name)
	case len(subjects) > 1:
		return "", fmt.Errorf("there are %d source topics that may have it; name the subject of %s with --subject, %s for the first", len(subjects), name, subjects[0])
	}
	return subjects[0], nil
}

func (r *registration) register(ctx context.Context, reg *registry.Client, name, subject string) (registered, error) {
	text := schemaText(name, formatAvro)
	one := registered{Name: name, Subject: subject}
	id, err := reg.Lookup(ctx, subject, text)
	switch {
	case err == nil:
		one.State = wasRegistered
	case !errors.As(err, new(*registry.UnknownError)):
	case r.dryRun:
		one.State, err = isAcceptable, accepted(ctx, reg, subject, text)
	default:
		one.State = isRegistered
		id, err = reg.Register(ctx, subject, text)
	}
	if err != nil {
		return one, fmt.Errorf("registering %s under the subject %q: %w%s", name, subject, err, remedy(err))
	}
	if !id.IsZero() {
		one.ID = id.String()
	}
	return one, nil
}

// accepted returns an error when the registry would not take a schema.
func accepted(ctx context.Context, reg *registry.Client, subject, text string) error {
	ok, err := reg.Accepts(ctx, subject, text)
	if err == nil && !ok {
		return errors.New(`it would be refused as incompatible with the versions before; check the subject's compatibility level, and what it has with "schemas list"`)
	}
	return err
}

func (r *registration) print(cmd *cobra.Command, done []registered) error {
	if r.asJSON {
		return writeJSON(cmd.OutOrStdout(), done)
	}
	for _, d := range done {
		line := fmt.Sprintf("%s: %s under %s", d.Name, d.State, d.Subject)
		if d.ID != "" {
			line += ", id " + d.ID
		} else {
			line += "; nothing was registered"
		}
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
			return err
		}
	}
	return nil
}
