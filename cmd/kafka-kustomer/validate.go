package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"kafka-kustomer/internal/config"
)

func newValidate() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "validate -c FILE",
		Short: "Check a configuration file and print it as it takes effect",
		Long:  "Checks the whole file and reports every mistake at once, with line and column.\nA file without mistakes is printed as it takes effect, with all defaults and without\nsecrets. Nothing is connected to.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(path)
			if err != nil {
				return usageError{err}
			}
			for _, w := range cfg.Warnings() {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
			}
			effective, err := config.Redacted(cfg)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "# %s is valid; this is what takes effect\n%s", path, effective)
			return err
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "config.yaml", "configuration `file`")
}
