package probe

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// result is what is said of one item.
type result struct {
	Ref    string         `json:"_clientRef"`
	ID     string         `json:"objectId"`
	Status string         `json:"status"`
	Error  jsontext.Value `json:"error"`
}

// batch is one batch in any of the forms: its members under attributes, results
// beside them, or all of it flat.
type batch struct {
	content
	Attributes *content `json:"attributes"`
}

type content struct {
	Good      int        `json:"successCount"`
	Bad       int        `json:"failureCount"`
	Errors    []failure  `json:"errors"`
	Results   *[]result  `json:"results"`
	Created   *time.Time `json:"createdAt"`
	Completed *time.Time `json:"completedAt"`
}

type failure struct {
	ID   string         `json:"id"`
	Data jsontext.Value `json:"data"`
}

// The forms of /batches.
const (
	pagedShape   = "paged, results in attributes"
	besideShape  = "paged, results beside attributes"
	flatShape    = "flat array"
	countsShape  = "counts and ids only, no results"
	unknownShape = "no form that is known"
)

// readFate reads a reply of /batches, whatever its form. The shape is empty
// while no batch is done.
func readFate(body []byte) (f fate) {
	var page struct {
		Data []batch `json:"data"`
	}
	lenient := jsontext.AllowInvalidUTF8(true)
	flat := json.Unmarshal(body, &page, lenient) != nil
	if flat && json.Unmarshal(body, &page.Data, lenient) != nil {
		return fate{shape: unknownShape}
	}
	for _, b := range page.Data {
		c := b.content
		shape := besideShape
		if b.Attributes != nil {
			c = *b.Attributes
			if c.Results != nil {
				shape = pagedShape
			} else {
				c.Results = b.Results
			}
		} else if flat {
			shape = flatShape
		}
		f.add(c, shape)
	}
	return f
}

func (f *fate) add(c content, shape string) {
	if c.Good+c.Bad == 0 && (c.Results == nil || len(*c.Results) == 0) {
		return
	}
	if c.Results == nil {
		if shape != flatShape {
			shape = countsShape
		}
		f.good, f.bad = f.good+c.Good, f.bad+c.Bad
		for _, e := range c.Errors {
			f.results = append(f.results, result{ID: e.ID, Error: e.Data})
		}
	} else {
		for _, r := range *c.Results {
			f.refs = f.refs || r.Ref != ""
			if r.Status == "error" {
				f.bad++
			} else {
				f.good++
			}
		}
		f.results = append(f.results, *c.Results...)
	}
	f.shape = shape
	if c.Created != nil && c.Completed != nil {
		f.took = max(f.took, c.Completed.Sub(*c.Created))
	}
}

// operationEnded reads GET /v1/bulk/{id}.
func operationEnded(body []byte) bool {
	var r struct {
		Data struct {
			Attributes struct {
				Status string `json:"status"`
			} `json:"attributes"`
		} `json:"data"`
	}
	return json.Unmarshal(body, &r, jsontext.AllowInvalidUTF8(true)) == nil && r.Data.Attributes.Status == "complete"
}
