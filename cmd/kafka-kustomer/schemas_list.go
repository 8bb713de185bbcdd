package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/schemas/registry"
)

// listedSchema is a line of schemas list, as --json prints it.
type listedSchema struct {
	Name     string    `json:"name"`
	Format   string    `json:"format"`
	About    string    `json:"for"`
	Subject  string    `json:"subject,omitempty"` // of Avro schemas
	Registry *standing `json:"registry,omitempty"`
}

// standing is what a registry has under a subject.
type standing struct {
	State   string `json:"state"`             // one of the below
	ID      string `json:"id,omitempty"`      // of the newest version
	Version int    `json:"version,omitempty"` // its number
}

// How the program's schema stands to those of a subject.
const (
	standsSame    = "same"    // it is the newest version
	standsOlder   = "older"   // it is a version, and there are newer ones
	standsDiffers = "differs" // there are versions, and it is none of them
	standsMissing = "missing" // the subject has no version
)

func newSchemasList() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [-c FILE]",
		Short: "List the schemas, and what the registry has of them",
		Long: `Lists the schemas that are part of the program. With -c, subjects are those of the
configuration's topics, and its schema registry is asked what it has under them:

  same     the newest version is this schema
  older    this schema is a version, and there are newer ones
  differs  there are versions, and none is this schema; "schemas register --dry-run"
           says whether it could become one
  missing  the subject has no version

Topics of format json, or with a mapping of something else, have no message-change.

The registry is only read. A registry that does not answer is a failure, exit code 1.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := config.Default()
			var reg *registry.Client
			if cmd.Flags().Changed("config") {
				var err error
				if cfg, err = config.Load(path); err != nil {
					return usageError{err}
				}
				if len(cfg.SchemaRegistry.URLs) > 0 {
					if reg, err = registry.New(registryConfig(cfg)); err != nil {
						return usageError{err}
					}
					defer reg.Close()
				}
			}
			list, err := listSchemas(cmd.Context(), cfg, reg)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			return printSchemas(cmd, list)
		},
	}
	configFlag(cmd, &path)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// listSchemas lists all schemas, those of Avro once for each subject. The registry is
// asked unless it is nil.
func listSchemas(ctx context.Context, cfg *config.Config, reg *registry.Client) ([]listedSchema, error) {
	var list []listedSchema
	for _, f := range schemaFiles {
		if f.format != formatAvro {
			list = append(list, listedSchema{Name: f.name, Format: f.format, About: f.about})
			continue
		}
		for _, subject := range subjectsOf(cfg, f.name) {
			l := listedSchema{Name: f.name, Format: f.format, About: f.about, Subject: subject}
			if reg != nil {
				s, err := compare(ctx, reg, subject, f.text)
				if err != nil {
					return nil, fmt.Errorf("asking for the subject %q: %w", subject, err)
				}
				l.Registry = &s
			}
			list = append(list, l)
		}
	}
	return list, nil
}

func compare(ctx context.Context, reg *registry.Client, subject, text string) (standing, error) {
	latest, err := reg.Latest(ctx, subject)
	if errors.As(err, new(*registry.UnknownError)) {
		return standing{State: standsMissing}, nil
	}
	if err != nil {
		return standing{}, err
	}
	s := standing{State: standsOlder, ID: latest.ID.String(), Version: latest.Number}
	ours, err := reg.Lookup(ctx, subject, text)
	switch {
	case errors.As(err, new(*registry.UnknownError)):
		s.State, err = standsDiffers, nil
	case ours == latest.ID:
		s.State = standsSame
	}
	return s, err
}

func printSchemas(cmd *cobra.Command, list []listedSchema) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tFORMAT\tSUBJECT\tREGISTRY\tFOR")
	for _, l := range list {
		has := "-"
		if r := l.Registry; r != nil {
			has = r.State
			if r.Version > 0 {
				has += fmt.Sprintf(" (id %s, version %d)", r.ID, r.Version)
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", l.Name, l.Format, orDash(l.Subject), has, l.About)
	}
	return table.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
