package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"kafka-kustomer/internal/config"
)

// validation is the flags of the validate command.
type validation struct {
	path           string
	asJSON, online bool
	timeout        time.Duration
	probe          probing
}

func newValidate() *cobra.Command {
	var v validation
	cmd := &cobra.Command{
		Use:   "validate -c FILE",
		Short: "Check a configuration file and print it as it takes effect",
		Long: `Checks the whole file and reports every mistake at once, with line and column.
A file without mistakes is printed as it takes effect, with all defaults and without
secrets. Nothing is connected to, unless --online is given.

` + onlineHelp + `

` + probeHelp,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !v.online && cmd.Flags().Changed("timeout") {
				return usageError{errors.New("--timeout is for --online")}
			}
			if v.timeout <= 0 {
				return usageError{errors.New("--timeout must be above 0")}
			}
			if err := v.checkProbe(cmd); err != nil {
				return err
			}
			return v.run(cmd)
		},
	}
	configFlag(cmd, &v.path)
	jsonFlag(cmd, &v.asJSON)
	cmd.Flags().BoolVar(&v.online, "online", false, "also check the brokers, the topics, the rights, the API key and the schema registry; writes nothing")
	cmd.Flags().DurationVar(&v.timeout, "timeout", 30*time.Second, "`time` that all online checks have together")
	cmd.Flags().StringVar(&v.probe.message, "probe-message", "", "with --online: `id` of a message of a sandbox to find out with how this org behaves; writes to it, and puts it back")
	cmd.Flags().StringSliceVar(&v.probe.attributes, "probe-attribute", nil, "custom attribute that the probe may write, a `name` with its type, such as probeStr; up to two")
	cmd.Flags().BoolVar(&v.probe.yes, "yes", false, "probe without asking")
	return cmd
}

// checkProbe refuses flags that go with a probe without one.
func (v *validation) checkProbe(cmd *cobra.Command) error {
	if v.probe.message == "" {
		for _, flag := range []string{"probe-message", "probe-attribute", "yes"} {
			if cmd.Flags().Changed(flag) {
				return usageError{errors.New("--" + flag + " is for --probe-message ID")}
			}
		}
		return nil
	}
	if !v.online {
		return usageError{errors.New("--probe-message is for --online")}
	}
	v.probe.json = v.asJSON
	return nil
}

// validated is what validate --json prints.
type validated struct {
	File      string          `json:"file"`
	Valid     bool            `json:"valid"` // the file; of the world outside see Online
	Errors    []configFault   `json:"errors"`
	Warnings  []string        `json:"warnings"`
	Effective any             `json:"effective,omitempty"` // without secrets
	Online    []onlineCheck   `json:"online,omitempty"`
	Probe     json.RawMessage `json:"probe,omitempty"`
}

// configFault is one mistake. Line and column are 0 when it is the file's as a whole.
type configFault struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Key    string `json:"key"`
	Text   string `json:"text"`
}

func (v *validation) run(cmd *cobra.Command) error {
	cfg, err := config.Load(v.path)
	if err != nil {
		return v.invalid(cmd, err)
	}
	effective, err := config.Redacted(cfg)
	if err != nil {
		return err
	}
	said := validated{File: v.path, Valid: true, Errors: []configFault{}, Warnings: append([]string{}, cfg.Warnings()...)}
	if v.online {
		if said.Online, err = v.checkOnline(cmd.Context(), cfg); err != nil {
			return err
		}
		if err := cmd.Context().Err(); err != nil { // what was cut short has not failed
			return fmt.Errorf("validate --online: interrupted: %w", err)
		}
	}
	failed := anyFailed(said.Online)
	if v.asJSON {
		var probed error
		if !failed {
			probed = v.probeInto(cmd, cfg, &said)
		}
		if err := said.print(cmd, effective); err != nil {
			return err
		}
		if failed {
			return loggedError{errOnline}
		}
		return probed
	}
	if err := said.tell(cmd, effective); err != nil {
		return err
	}
	if failed {
		return errOnline
	}
	if v.probe.message == "" {
		return nil
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return runProbe(cmd.Context(), cfg, v.probe, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
}

// probeInto runs the probe, if one is wanted, and adds its report.
func (v *validation) probeInto(cmd *cobra.Command, cfg *config.Config, said *validated) error {
	if v.probe.message == "" {
		return nil
	}
	var report bytes.Buffer
	err := runProbe(cmd.Context(), cfg, v.probe, cmd.InOrStdin(), &report, cmd.ErrOrStderr())
	said.Probe = json.RawMessage(report.Bytes())
	return err
}

// tell prints a valid file for people: what takes effect, or the checks.
func (said *validated) tell(cmd *cobra.Command, effective []byte) error {
	for _, w := range said.Warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
	}
	if said.Online != nil {
		return printOnline(cmd, said.File, said.Online)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "# %s is valid; this is what takes effect\n%s", said.File, effective)
	return err
}

func (said *validated) print(cmd *cobra.Command, effective []byte) error {
	if err := yaml.Unmarshal(effective, &said.Effective); err != nil {
		return fmt.Errorf("reading back what takes effect: %w", err)
	}
	return writeJSON(cmd.OutOrStdout(), said)
}

// invalid tells of a file with mistakes.
func (v *validation) invalid(cmd *cobra.Command, err error) error {
	if !v.asJSON {
		return usageError{err}
	}
	said := validated{File: v.path, Warnings: []string{}}
	var faults config.Errors
	if !errors.As(err, &faults) {
		faults = config.Errors{{Text: err.Error()}}
	}
	for _, f := range faults {
		said.Errors = append(said.Errors, configFault{f.Line, f.Column, f.Key, f.Text})
	}
	if err := writeJSON(cmd.OutOrStdout(), said); err != nil {
		return err
	}
	return loggedError{usageError{err}}
}
