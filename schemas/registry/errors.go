package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// No error here holds a body or the text of an error that may quote one: a
// registry, or whatever answers in its place, can echo what it was sent.

// ErrClosed is the answer of a client that has been closed.
var ErrClosed = errors.New("the schema registry's client is closed")

// UnknownError says that the registry answers and has no such schema. It may get
// it later (a replica that lags, a registration that a producer is still waiting
// for), so a record is given up only after a while: see [Client.Fetch].
type UnknownError struct {
	ID      ID        // zero when a subject was looked up
	Subject string    // looked up, or referred to by the schema with the ID
	Version int       // of the subject; 0 when a schema was looked up
	Since   time.Time // when this was first seen
}

func (e *UnknownError) Error() string {
	switch {
	case e.ID.IsZero():
		return fmt.Sprintf("the schema registry does not have this schema under the subject %q; register it there, or let auto_register do so", e.Subject)
	case e.Subject != "":
		return fmt.Sprintf("schema %s refers to version %d of the subject %q, which the schema registry does not have; check whether it was deleted", e.ID, e.Version, e.Subject)
	}
	check := "check that the producer uses the same registry"
	if e.ID.form == byGUID {
		check += ", and that this one knows schemas by GUID (Confluent's does from 8.0 on, Apicurio's 3.3 does not)"
	}
	return fmt.Sprintf("the schema registry does not have schema %s; %s", e.ID, check)
}

// UnavailableError says that no registry answered, or that what answered is none.
// It says nothing about the schema: wait, and ask again.
type UnavailableError struct {
	URL    string        // asked last; without user and query
	What   string        // happened
	Status int           // of the reply; 0: there was none
	After  time.Duration // how long the registry asks to be left alone; 0: not said
	Check  string        // what to look at next
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("schema registry %s: %s; %s", e.URL, e.What, e.Check)
}

// RefusedError is a 401 or 403. Like [UnavailableError] it says nothing about the
// schema.
type RefusedError struct {
	URL    string
	Status int
	Check  string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("schema registry %s: refused (%d); %s", e.URL, e.Status, e.Check)
}

// UnusableError says that the schema is there and can't be used as it is. Asking
// again does not help.
type UnusableError struct {
	ID  ID
	Why string
}

func (e *UnusableError) Error() string {
	return fmt.Sprintf("schema %s of the schema registry can't be used: %s", e.ID, e.Why)
}

// RejectedError says that the registry does not take a schema.
type RejectedError struct {
	Subject string
	Status  int // 409 or 422
	Code    int // of the registry's error; 0: none given
	Check   string
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("the schema registry does not take the schema for the subject %q (%d, error code %d); %s", e.Subject, e.Status, e.Code, e.Check)
}

// What once says inside the package; Schema, Register and Lookup make the
// exported errors of it, as they know what was asked for.
var (
	errNotFound = errors.New("not found")
	errTooLarge = errors.New("the reply is too large")
)

// invalidError is a 409 or 422.
type invalidError struct{ status, code int }

func (e *invalidError) Error() string {
	return fmt.Sprintf("status %d, error code %d", e.status, e.code)
}

// statusError is a reply whose body is of no use.
type statusError struct {
	status int
	after  time.Duration
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d", e.status) }

// proxyError is a proxy that does not connect us. net/http would have the words of its
// reply alone.
type proxyError struct{ status int }

func (e *proxyError) Error() string { return fmt.Sprintf("proxy status %d", e.status) }

// ofStatus says what a status means that is neither success nor about a schema.
func ofStatus(at string, e *statusError) error {
	u := &UnavailableError{URL: at, Status: e.status, After: e.after, What: fmt.Sprintf("answered with status %d", e.status)}
	switch {
	case e.status == http.StatusUnauthorized:
		return &RefusedError{URL: at, Status: e.status, Check: "check schema_registry.username and its password"}
	case e.status == http.StatusForbidden:
		return &RefusedError{URL: at, Status: e.status, Check: "check that schema_registry.username may read schemas (and register them, with auto_register)"}
	case e.status == http.StatusTooManyRequests:
		u.What, u.Check = "has had too many requests (429)", "check the registry's quota and who else uses it"
	case e.status >= 300 && e.status < 400:
		u.What, u.Check = fmt.Sprintf("redirects (%d), which is not followed", e.status), "set schema_registry.urls to where it redirects to"
	case e.status == http.StatusProxyAuthRequired:
		u.Check = "check the proxy and its password"
	case e.status >= 500:
		u.Check = "check the registry's log"
	default:
		u.Check = "check that schema_registry.urls has the registry's path too, if it has one"
	}
	return u
}

// notARegistry is what an answer means that no registry gives.
func notARegistry(at, what string) error {
	return &UnavailableError{URL: at, What: what, Check: "check that schema_registry.urls is the registry's address with its path (Apicurio: /apis/ccompat/v7)"}
}

// noAnswer is what an error of net/http means, in our words. Its own words are
// repeated only where they can't hold anything that came from the other side.
func noAnswer(at string, err error, timeout time.Duration) error {
	u := &UnavailableError{URL: at, Check: "check schema_registry.urls and that the registry is up"}
	var dns *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var proxy *proxyError
	switch {
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		u.What = fmt.Sprintf("no answer within %s", timeout)
	case errors.As(err, &proxy):
		u.What = fmt.Sprintf("the proxy answered with status %d and makes no connection", proxy.status)
		u.Check = "check schema_registry.proxy_url with its password, and the proxy's log"
	case errors.As(err, &op) && (op.Op == "proxyconnect" || op.Op == "socks connect"): // how net/http says it
		u.What, u.Check = "no connection by way of the proxy", "check schema_registry.proxy_url, and that the proxy is up and gets to the registry"
	case errors.As(err, &certificate):
		u.What, u.Check = "its certificate was not accepted: "+certificate.Err.Error(), "check schema_registry.tls.ca_file and server_name"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		u.What, u.Check = "does not speak TLS", "check whether schema_registry.urls should begin with http://"
	case errors.As(err, &op) && op.Op == "remote error": // how crypto/tls says an alert
		u.What, u.Check = "ended TLS: "+op.Err.Error(), "check schema_registry.tls.cert_file and key_file"
	case errors.As(err, &dns):
		u.What = "the host's name could not be resolved"
	case errors.As(err, &op) && op.Op == "dial":
		u.What = "no connection: " + op.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.As(err, &op):
		u.What = "the connection broke off"
	default:
		u.What = "the reply could not be read"
	}
	return u
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// label is a URL as people may read it.
func label(u *url.URL) string { return u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/") }
