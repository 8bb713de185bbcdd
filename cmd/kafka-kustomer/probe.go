package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/probe"
)

// probing is what the command line says about a probe.
type probing struct {
	message    string   // --probe-message
	attributes []string // --probe-attribute, up to twice
	yes        bool     // --yes: don't ask
	json       bool     // --json
	backupDir  string   // where the message's state is kept meanwhile; empty: here
}

const probeHelp = `With --probe-message it then finds out by experiment what Kustomer's documentation
leaves open: whether custom is merged by key, what null does, how results look, in
which order operations end, what is refused. It writes to that one message of a
SANDBOX, after a yes, and puts it back; about 40 requests. The key also needs to read
messages.`

// runProbe asks the org what the API's documentation leaves open, with one message
// that it writes and puts back. The report goes to out; what is about to happen,
// and the question whether it may, to errOut.
func runProbe(ctx context.Context, cfg *config.Config, o probing, in io.Reader, out, errOut io.Writer) error {
	switch {
	case o.message == "":
		return usageError{errors.New("a probe writes to a message: name one of a sandbox with --probe-message")}
	case !o.yes && !interactive(in):
		return usageError{errors.New("a probe writes to a message and asks before it does: run it on a terminal, or with --yes")}
	}
	key, err := probeKey(cfg.Kustomer)
	if err != nil {
		return usageError{err}
	}
	transport, err := probeTransport(cfg.Kustomer)
	if err != nil {
		return usageError{err}
	}
	defer transport.CloseIdleConnections()
	report, err := probe.Run(ctx, probe.Config{
		BaseURL: cfg.Kustomer.BaseURL, APIKey: key, Transport: transport, Timeout: cfg.Kustomer.Timeout,
		Message: o.message, Attributes: o.attributes, MaxBytes: int(cfg.Batch.MaxBytes), BackupDir: o.backupDir,
		Confirm: func(plan probe.Plan) error {
			return errors.Join(plan.WriteText(errOut), confirm(ctx, o.yes, in, errOut))
		},
	})
	if report == nil {
		return err
	}
	write := report.WriteText
	if o.json {
		write = report.WriteJSON
	}
	return errors.Join(err, write(out))
}

func interactive(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && isTerminal(f)
}

// confirm asks for a yes. A read of a terminal can't be called off: after Ctrl-C
// its goroutine stays until the process, which ends now, is gone.
func confirm(ctx context.Context, yes bool, in io.Reader, errOut io.Writer) error {
	if yes {
		return nil
	}
	fmt.Fprint(errOut, "Is this a sandbox, and may it be written? Type yes: ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n') // what is no yes is a no
		answer <- line
	}()
	select {
	case line := <-answer:
		if strings.TrimSpace(line) == "yes" {
			return nil
		}
	case <-ctx.Done():
	}
	return errors.New("nothing was written: it was not confirmed")
}

func probeKey(k config.Kustomer) (string, error) {
	key := k.APIKey.Reveal()
	if k.APIKeyFile != "" {
		text, err := os.ReadFile(k.APIKeyFile)
		if err != nil {
			return "", fmt.Errorf("reading kustomer.api_key_file: %w", err)
		}
		key = strings.TrimSpace(string(text))
	}
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("kustomer's API key is empty, or has a character that no key has")
	}
	return key, nil
}

// probeTransport goes the way of the configuration, proxy and authorities included,
// one connection at a time.
func probeTransport(k config.Kustomer) (*http.Transport, error) {
	t := &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2: true, MaxConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	if k.ProxyURL.Reveal() != "" {
		proxy, err := url.Parse(k.ProxyURL.Reveal())
		if err != nil { // its text would repeat the password
			return nil, errors.New("kustomer.proxy_url is no URL")
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	if k.CAFile != "" {
		pem, err := os.ReadFile(k.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading kustomer.ca_file: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kustomer.ca_file %s has no PEM certificate in it", k.CAFile)
		}
	}
	return t, nil
}
