package sink

import (
	"context"
	"net/http"

	"kafka-kustomer/batcher"
)

const bulkPath = "/v1/messages/bulk"

// bulkRequest is a PUT of a batch without its body.
func (s *Sink) bulkRequest(ctx context.Context) *http.Request {
	r := s.request(ctx, http.MethodPut, bulkPath, "")
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Request is a request as it would be sent. Beside its headers, net/http sets
// Host, Content-Length and Accept-Encoding.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
}

// Preview returns the request that Put would make of a batch, with *** in place
// of the API key. It calls nothing.
func (s *Sink) Preview(b *batcher.Batch) Request {
	r := s.bulkRequest(context.Background())
	r.Header.Set("Authorization", "Bearer "+mask)
	return Request{
		Method: r.Method, URL: r.URL.String(), Header: r.Header,
		Body: appendBody(nil, b, !s.noReferences.Load()),
	}
}
