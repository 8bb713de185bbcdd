package config

import (
	"fmt"
	"slices"
	"strings"

	"kafka-kustomer/schemas/registry"
)

func (r *reader) checkRegistry(s *SchemaRegistry) {
	const section, urls = "schema_registry", "schema_registry.urls"
	if r.isBad(urls) {
		return // what belongs to them is not known
	}
	if len(s.URLs) == 0 {
		r.unused(*s, Default().SchemaRegistry, section, urls, "is empty")
		return
	}
	for i, url := range s.URLs {
		r.checkRegistryURL(fmt.Sprintf("%s[%d]", urls, i), url)
	}
	r.checkRegistryLogin(s)
	r.checkProxy(section+".proxy_url", s.ProxyURL)
	if !slices.ContainsFunc(s.URLs, isHTTPS) {
		r.unused(s.TLS, RegistryTLS{}, section+".tls", urls, "has no https://")
		return
	}
	r.checkTLSFiles(section+".tls", s.TLS.CAFile, s.TLS.CertFile, s.TLS.KeyFile)
}

func isHTTPS(url string) bool { return strings.HasPrefix(strings.ToLower(url), "https://") }

// checkRegistryURL asks the client for its opinion. Its error does not show the URL:
// a password may be in it.
func (r *reader) checkRegistryURL(key, url string) {
	client, err := registry.New(registry.Config{URLs: []string{url}})
	if err != nil {
		_, text, _ := strings.Cut(err.Error(), " ") // after the key, as it has it
		r.fault(key, "%s", text)
		return
	}
	client.Close()
}

func (r *reader) checkRegistryLogin(s *SchemaRegistry) {
	const user, password = "schema_registry.username", "schema_registry.password"
	const file = password + "_file"
	switch {
	case strings.Contains(s.Username, ":"):
		r.fault(user, "has a colon, which basic authentication cannot transport")
	case s.Username != "":
		r.oneSecret(password, s.Password, file, s.PasswordFile, r.at(user, s.Username)+" needs a password")
	case s.Password.Reveal() != "" || s.PasswordFile != "":
		r.clash([]string{password, file, user}, "is given without %s", user)
	}
}
