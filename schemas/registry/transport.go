package registry

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxErrorBytes is how much of an error's body is read, to find its error_code.
const maxErrorBytes = 64 << 10

// bounded stands between sr and the network. sr reads bodies of any size, and
// keeps those of errors; [http.Client] follows redirects, and would send what
// it was given elsewhere. What sr is let see is a body that was read to its end
// within the limit: of a success, or of an error about a schema. All else
// becomes a [statusError] here, so that no redirect is ever followed.
type bounded struct {
	next http.RoundTripper
	max  int
}

func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	limit := b.max
	switch s := resp.StatusCode; {
	case s >= 200 && s < 300:
	case s == http.StatusNotFound, s == http.StatusConflict, s == http.StatusUnprocessableEntity:
		limit = maxErrorBytes
	default:
		return nil, &statusError{status: s, after: retryAfter(resp.Header.Get("Retry-After"))}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(body) > limit {
		if resp.StatusCode < 300 {
			return nil, errTooLarge
		}
		body = nil // of an error: its error_code is not known then
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// maxRetryAfter is the longest wait that a registry may ask for.
const maxRetryAfter = time.Minute

// retryAfter reads a number of seconds. The form with a date is not worth the
// trouble with clocks: the pause then is as long as without.
func retryAfter(header string) time.Duration {
	n, err := strconv.ParseUint(header, 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxRetryAfter)
}
