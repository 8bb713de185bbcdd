package main

import (
	"github.com/spf13/cobra"

	"kafka-kustomer/deploy"
	"kafka-kustomer/internal/config"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print an example of the configuration, or its JSON Schema",
		Long:  "Prints what helps in writing a configuration. To check one, see validate.",
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "example",
			Short: "Print a configuration with every key at its default, each explained",
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := cmd.OutOrStdout().Write(deploy.Example)
				return err
			},
		},
		&cobra.Command{
			Use:   "schema",
			Short: "Print the JSON Schema of the configuration, for editors",
			Long:  "Prints the JSON Schema (draft 7) of the configuration. With it an editor completes\nkeys, explains them, and marks what is wrong. Rules between keys are not in it:\nonly validate checks all.",
			RunE: func(cmd *cobra.Command, _ []string) error {
				schema, err := config.Schema(deploy.Example)
				if err != nil {
					return err
				}
				_, err = cmd.OutOrStdout().Write(append(schema, '\n'))
				return err
			},
		},
	)
	return cmd
}

// configFlag adds -c. Shells complete it with YAML files.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "config.yaml", "configuration `file`")
	must(cmd.MarkFlagFilename("config", "yaml", "yml"))
}

// must is for what fails only when the program is wrong in itself, as when a flag
// is named that the command does not have.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
