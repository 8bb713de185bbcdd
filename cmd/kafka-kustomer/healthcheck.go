package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// newHealthcheck is for container images that hold nothing but the program: there
// is no curl in them to ask with.
func newHealthcheck() *cobra.Command {
	var url string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running connector or simulator whether it lives",
		Long: `Sends one GET and exits with 0 when the answer is 2xx, else with 1 and what was
answered. The default asks the connector on this machine for a sign of life, which
depends on neither Kafka nor Kustomer; with /readyz it asks whether events get through.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			answer, err := checkHealth(ctx, url)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), answer)
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8080/healthz", "`address` to ask")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long the answer may take")
	return cmd
}

// checkHealth returns the first line of a 2xx answer.
func checkHealth(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", usageError{err}
	}
	// The environment's proxy has no part in asking one's own machine.
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", fmt.Errorf("%s does not answer: %w; check that the program runs, and admin.listen", url, err)
	}
	defer resp.Body.Close()
	const enough = 512
	body, err := io.ReadAll(io.LimitReader(resp.Body, enough))
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if line == "{" { // JSON that is set out over lines, as /readyz has it
		line = strings.Join(strings.Fields(string(body)), " ")
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return "", fmt.Errorf("%s answers %s: %s", url, resp.Status, line)
	}
	return line, nil
}
