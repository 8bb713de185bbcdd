package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/registry"
)

func registryConfig(cfg *config.Config) registry.Config {
	r := cfg.SchemaRegistry
	return registry.Config{
		URLs: r.URLs, Username: r.Username, Password: r.Password.Reveal(), PasswordFile: r.PasswordFile,
		TLS:      registry.TLS(r.TLS),
		ProxyURL: r.ProxyURL.Reveal(), Timeout: r.Timeout, UnknownGrace: r.UnknownGrace,
	}
}

// resultsPrefix returns what stands in front of each result event in Avro: the number
// that the registry has given the schema under the subject. A schema that is not there
// yet is registered, if that is wanted.
//
// It is to be called before anything is read, and an error is one not to start with: a
// result that nobody can read is as good as none. The error names the subject, what
// happened and what to check.
func resultsPrefix(ctx context.Context, reg *registry.Client, subject string, autoRegister bool) ([]byte, error) {
	// Not registered at once: with a schema that is there, the right to read is enough.
	id, err := reg.Lookup(ctx, subject, schemas.BatchResultAvro)
	if autoRegister && errors.As(err, new(*registry.UnknownError)) {
		id, err = reg.Register(ctx, subject, schemas.BatchResultAvro)
	}
	if err != nil {
		return nil, fmt.Errorf("results.format is avro, and the schema of results is needed under the subject %q: %w%s", subject, err, remedy(err))
	}
	return registry.AppendPrefix(nil, id), nil
}

// remedy says which of our commands helps.
func remedy(err error) string {
	var rejected *registry.RejectedError
	switch {
	case errors.As(err, new(*registry.UnknownError)):
		return `; "kafka-kustomer schemas register" registers it`
	case errors.As(err, &rejected) && rejected.Status == http.StatusConflict:
		return `; "kafka-kustomer schemas list" shows what the subject has`
	}
	return ""
}
