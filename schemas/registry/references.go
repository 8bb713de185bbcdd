package registry

import (
	"context"
	"fmt"
	"net/url"

	"github.com/twmb/franz-go/pkg/sr"
)

// What a schema may refer to. The registry is trusted, but not to be without
// accidents, and everyone who may register can make one.
const (
	maxReferences     = 64
	maxReferenceDepth = 16
)

// references are the schemas that one refers to, and what those refer to, each
// once.
type references struct {
	client *Client
	id     ID
	bytes  int
	names  *names
	seen   map[reference]state
}

type reference struct {
	subject string
	version int
}

type state uint8

const (
	unseen state = iota
	open         // what it refers to is being resolved: to come by again is a cycle
	resolved
)

// selfContained returns an Avro schema with the types of the schemas it refers to
// written into it.
func (c *Client) selfContained(ctx context.Context, id ID, r reply) (string, error) {
	refs := &references{client: c, id: id, names: newNames(), seen: map[reference]state{}}
	root, err := refs.add(r, true)
	if err != nil {
		return "", err
	}
	if err := refs.follow(ctx, r.References, 1); err != nil {
		return "", err
	}
	text, err := refs.names.inline(root)
	if err != nil {
		return "", refs.unusable(err.Error())
	}
	return text, nil
}

// add parses a schema and takes in the names it defines.
func (refs *references) add(r reply, own bool) (any, error) {
	if refs.bytes += len(r.Schema); refs.bytes > refs.client.cfg.MaxSchemaBytes {
		return nil, refs.unusable(tooLarge(refs.client.cfg.MaxSchemaBytes))
	}
	tree, err := parse(r.Schema)
	if err == nil {
		err = refs.names.collect(tree, own)
	}
	if err != nil {
		return nil, refs.unusable(err.Error())
	}
	return tree, nil
}

// follow resolves references, and those of what they lead to.
func (refs *references) follow(ctx context.Context, list []sr.SchemaReference, depth int) error {
	for _, r := range list {
		ref := reference{r.Subject, r.Version}
		switch refs.seen[ref] {
		case resolved:
			continue
		case open:
			return refs.unusable(fmt.Sprintf("version %d of the subject %q refers to itself, by way of others", ref.version, ref.subject))
		}
		switch {
		case ref.version < 1:
			// The newest one is not the same tomorrow, and a schema is kept for ever.
			return refs.unusable(fmt.Sprintf("it refers to no fixed version of the subject %q", ref.subject))
		case ref.subject == "" || ref.subject == "." || ref.subject == "..":
			return refs.unusable("it refers to a schema without a subject")
		case depth > maxReferenceDepth:
			return refs.unusable(fmt.Sprintf("its references are nested more than %d deep", maxReferenceDepth))
		case len(refs.seen) >= maxReferences:
			return refs.unusable(fmt.Sprintf("it refers to more than %d others", maxReferences))
		}
		refs.seen[ref] = open
		if err := refs.resolve(ctx, ref, depth); err != nil {
			return err
		}
		refs.seen[ref] = resolved
	}
	return nil
}

func (refs *references) resolve(ctx context.Context, ref reference, depth int) error {
	// A version that was deleted softly is still what the schema was made with.
	path := fmt.Sprintf("/subjects/%s/versions/%d", url.PathEscape(ref.subject), ref.version)
	r, err := refs.client.get(sr.WithParams(ctx, sr.ShowDeleted), path)
	switch err {
	case nil:
	case errNotFound:
		return &UnknownError{ID: refs.id, Subject: ref.subject, Version: ref.version}
	case errTooLarge:
		return refs.unusable(tooLarge(refs.client.cfg.MaxSchemaBytes))
	default:
		return err
	}
	if r.Type != "" && r.Type != Avro {
		return refs.unusable(fmt.Sprintf("version %d of the subject %q, which it refers to, is no Avro schema", ref.version, ref.subject))
	}
	if _, err := refs.add(r, false); err != nil {
		return err
	}
	return refs.follow(ctx, r.References, depth+1)
}

func (refs *references) unusable(why string) error {
	return &UnusableError{ID: refs.id, Why: why}
}
