package config

import "net/url"

// Warnings says what a valid configuration allows though it is hardly meant
// outside of tests; one sentence each, to be logged at the start.
func (c *Config) Warnings() []string {
	var all []string
	if u, err := url.Parse(c.Kustomer.BaseURL); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		all = append(all, "kustomer.base_url is http: the API key and all changes travel unencrypted to "+u.Host)
	}
	if c.Kafka.TLS.InsecureSkipVerify {
		all = append(all, "kafka.tls.insecure_skip_verify is true: anyone on the way can pass for a broker")
	}
	if c.Kafka.SASL.Mechanism == "plain" && !c.Kafka.TLS.Enabled {
		all = append(all, "kafka.sasl.mechanism is plain without kafka.tls: the password travels unencrypted")
	}
	for _, raw := range c.SchemaRegistry.URLs {
		u, err := url.Parse(raw)
		if err == nil && u.Scheme == "http" && c.SchemaRegistry.Username != "" && !isLoopback(u.Hostname()) {
			all = append(all, "schema_registry.urls has http: the password travels unencrypted to "+u.Host)
		}
	}
	if c.SchemaRegistry.TLS.InsecureSkipVerify {
		all = append(all, "schema_registry.tls.insecure_skip_verify is true: anyone on the way can pass for the registry")
	}
	return all
}
