package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/formats"
	"kafka-kustomer/schemas/mapping"
	"kafka-kustomer/schemas/registry"
)

// The formats of schemas.
const (
	formatAvro       = "avro"
	formatJSONSchema = "json-schema"
)

// The names of schemas.
const (
	batchResult   = "batch-result"
	messageChange = "message-change"
)

var schemaNames = []string{batchResult, messageChange}

// schemaFile is a schema that is part of the program.
type schemaFile struct{ name, format, about, text string }

var schemaFiles = []schemaFile{
	{batchResult, formatAvro, "result events, with results.format avro", schemas.BatchResultAvro},
	{batchResult, formatJSONSchema, "result events, with results.format json", string(schemas.BatchResultSchema)},
	{messageChange, formatAvro, "message changes; a producer's own schema will do as well", schemas.MessageChangeAvro},
	{messageChange, formatJSONSchema, "message changes", string(schemas.MessageChangeSchema)},
}

// schemaText is the text of a schema that there is.
func schemaText(name, format string) string {
	i := slices.IndexFunc(schemaFiles, func(f schemaFile) bool { return f.name == name && f.format == format })
	return schemaFiles[i].text
}

// subjectsOf are those that a schema has by the strategy TopicName: one for each
// topic whose values it may describe. Of message changes that is none where all topics
// have JSON or a mapping of something else.
func subjectsOf(cfg *config.Config, name string) []string {
	if name == batchResult {
		return []string{registry.Subject(cfg.Results.Topic)}
	}
	var subjects []string
	for i := range cfg.Source.Topics {
		t := &cfg.Source.Topics[i]
		if m := &t.Mapping; t.Format != formats.JSON && m.JQ == "" && m.Preset == mapping.MessageChange {
			subjects = append(subjects, registry.Subject(t.Name))
		}
	}
	return subjects
}

func newSchemas() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schemas",
		Short: "Print the schemas of the events, and register them in a schema registry",
		Long: `The schemas of the events that come in (message-change) and of those that go out
(batch-result), as Avro schema and as JSON Schema. They are part of the program.

A registry knows a schema under a subject. For the values of a topic that is the
topic's name and "-value", which is every serializer's default.`,
	}
	cmd.AddCommand(newSchemasList(), newSchemasShow(), newSchemasRegister())
	return cmd
}

func newSchemasShow() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:       "show NAME",
		Short:     "Print a schema",
		Long:      "Prints the text of a schema, for a producer's or a reader's code generator, say.",
		ValidArgs: schemaNames,
		Args:      namesOfSchemas(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != formatAvro && format != formatJSONSchema {
				return usageError{fmt.Errorf("--format is avro or json-schema, not %q", format)}
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSpace(schemaText(args[0], format)))
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", formatAvro, "avro or json-schema")
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{formatAvro, formatJSONSchema}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// namesOfSchemas takes the names of so many schemas, each once.
func namesOfSchemas(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		known := strings.Join(schemaNames, " and ")
		if len(args) < least || len(args) > most {
			return usageError{fmt.Errorf("%s takes the name of a schema, and got %d; there are %s", c.CommandPath(), len(args), known)}
		}
		for i, name := range args {
			if !slices.Contains(schemaNames, name) {
				return usageError{fmt.Errorf("there is no schema %q; there are %s", name, known)}
			}
			if slices.Contains(args[:i], name) {
				return usageError{fmt.Errorf("schema %s is named twice", name)}
			}
		}
		return nil
	}
}
