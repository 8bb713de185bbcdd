package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

func (r *reader) checkKustomer(k *Kustomer) {
	// The URL is not shown: a password may be in it.
	switch {
	case k.BaseURL == "":
		r.fault("kustomer.base_url", "is required: the address of your org, as in https://acme.api.kustomerapp.com")
	default:
		if fault := urlFault(k.BaseURL, "https", "http"); fault != "" {
			r.fault("kustomer.base_url", "%s", fault)
		} else if u, _ := url.Parse(k.BaseURL); u.User != nil {
			r.fault("kustomer.base_url", "must not hold a user or password; the login is the API key")
		}
	}
	r.checkProxy("kustomer.proxy_url", k.ProxyURL)
	r.oneSecret("kustomer.api_key", k.APIKey, "kustomer.api_key_file", k.APIKeyFile, "an API key is required")
	if strings.ContainsFunc(k.APIKey.Reveal(), notInHeader) {
		r.fault("kustomer.api_key", "has a space, a line break or another character that no API key has; is it copied whole, and alone?")
	}
	r.checkFile("kustomer.ca_file", k.CAFile)
	if k.Retry.Initial > k.Retry.Max {
		r.clash([]string{"kustomer.retry.initial", "kustomer.retry.max"}, "%s is above %s",
			r.at("kustomer.retry.initial", k.Retry.Initial), r.at("kustomer.retry.max", k.Retry.Max))
	}
	if k.LostReplyWait <= k.Timeout {
		r.clash([]string{"kustomer.lost_reply_wait", "kustomer.timeout"},
			"%s is not above %s; a call without a reply may be carried out at any time until both have passed, and a newer change must come after it",
			r.at("kustomer.lost_reply_wait", k.LostReplyWait), r.at("kustomer.timeout", k.Timeout))
	}
}

// checkProxy shows nothing of the URL: a password may be in it.
func (r *reader) checkProxy(key string, proxy Secret) {
	if raw := strings.TrimSuffix(proxy.Reveal(), "/"); raw != "" {
		if fault := urlFault(raw, "http", "https", "socks5"); fault != "" {
			r.fault(key, "%s", fault)
		}
	}
}

// urlFault says why raw is not scheme://host[:port], or nothing. It shows nothing
// of raw, and leaves user and password to the caller.
func urlFault(raw string, schemes ...string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || strings.ContainsFunc(raw, notInHeader):
		return "is not a URL, as in " + schemes[0] + "://host"
	case !slices.Contains(schemes, u.Scheme):
		return "must begin with " + strings.Join(schemes, ":// or ") + "://"
	case u.Hostname() == "":
		return "has no host"
	case u.Path != "":
		return "must not have a path; it is added to each call"
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return "must end after the host and port"
	case u.Port() != "" || strings.HasSuffix(u.Host, ":"):
		return portFault(u.Port())
	}
	return ""
}

// notInHeader reports what neither an API key nor a URL has: all but visible ASCII.
func notInHeader(c rune) bool { return c <= ' ' || c > '~' }

// isLoopback reports whether host can only be this machine.
func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
