package main

import (
	"context"
	"fmt"

	"kafka-kustomer/internal/kustomersim"
)

// trouble is one thing that goes wrong for a while.
type trouble struct {
	name  string
	what  string // what happens, as a sentence without its end
	begin step
	end   step

	// The reason that the connector must give on /readyz: its kind and its code.
	kind, code string
	// undeliverable trouble is with the events: not /readyz must name it but the dead
	// letters, with one of these codes each, and no event but the guilty may be there.
	undeliverable []string
	// alone is trouble of the one partition [newSchemaIn]: events of the others must get
	// through while it lasts.
	alone bool
}

// step changes the surroundings.
type step func(ctx context.Context, d *demo) error

// calm is the script of the API while nothing is wrong: in the ordinary demo that of
// an ordinary bad day.
func (d *demo) calm() kustomersim.Script {
	script := kustomersim.DefaultScript()
	script.Quota = kustomersim.Quota{PerMinute: 2000}
	if d.faults {
		script.Faults, script.ItemFailures = nil, 0
	}
	return script
}

// ordinary says what the simulator does while nothing is wrong.
func (d *demo) ordinary() string {
	if d.faults {
		return "works; operations end out of order"
	}
	return "an ordinary bad day: operations end out of order, 1% of the replies get lost, 0.1% of the items fail once"
}

// troubles are gone through in this order. That of the quota is the last, because
// the connector goes on slowly after it.
var troubles = []trouble{
	{
		name: "outage, 503", what: "Kustomer answers every call with 503",
		begin: faults(kustomersim.Fault{Kind: kustomersim.FaultStatus, Status: 503, Body: "json", Share: 1}),
		end:   calmDown, kind: "outage", code: "server_error",
	},
	{
		name: "outage, refused", what: "Kustomer's address refuses every connection",
		begin: func(_ context.Context, d *demo) error { d.world.api.close(); return nil },
		end:   func(ctx context.Context, d *demo) error { return d.world.api.reopen(ctx) },
		kind:  "outage", code: "dial_failed",
	},
	{
		name: "lost replies", what: "Kustomer takes every request, and the connection breaks before the reply",
		begin: faults(kustomersim.Fault{Kind: kustomersim.FaultCutAfter, On: "put", Share: 1}),
		end:   calmDown, kind: "outage", code: "connection_lost",
	},
	{
		name: "slow operations", what: "Kustomer takes every request, and carries none of them out",
		begin: script(func(s *kustomersim.Script) { s.Stalls = []kustomersim.Window{{}} }),
		end:   calmDown, kind: "overdue", code: "overdue",
	},
	{
		name: "poison", what: "some changes are such that Kustomer refuses the whole request, or always fails the item",
		begin: func(_ context.Context, d *demo) error { d.feed.poison(d.poisonShare()); return nil },
		end:   func(_ context.Context, d *demo) error { d.feed.poison(0); return nil },

		undeliverable: []string{"bad_request", "unprocessable", "item_failed"},
	},
	{
		name: "key rotation", what: "the API key is revoked, and the new one is not in the key file yet",
		begin: func(ctx context.Context, d *demo) error { d.rotations++; return calmDown(ctx, d) },
		end:   func(_ context.Context, d *demo) error { return d.world.writeKey(d.key()) },
		kind:  "configuration", code: "unauthorized",
	},
	{
		name: "no schema registry", what: "the schema registry refuses every connection, and the producer of partition 0 begins to use a new version of the schema",
		begin: newSchemaWithoutRegistry,
		end:   func(ctx context.Context, d *demo) error { return d.world.schemas.front.reopen(ctx) },
		kind:  "registry", code: "unavailable", alone: true,
	},
	{
		name: "429 storm", what: "the org's quota is used up by others: every call is a 429 with Retry-After: 2",
		begin: faults(kustomersim.Fault{Kind: kustomersim.FaultStatus, Status: 429, Body: "json", RetryAfter: "2", Share: 1}),
		end:   calmDown, kind: "quota", code: "limited",
	},
}

// script changes what the API does.
func script(change func(*kustomersim.Script)) step {
	return func(_ context.Context, d *demo) error {
		s := d.calm()
		s.Key = d.key()
		change(&s)
		d.world.script.Store(&s)
		return d.world.sim.SetScript(s)
	}
}

func faults(f kustomersim.Fault) step {
	return script(func(s *kustomersim.Script) { s.Faults = []kustomersim.Fault{f} })
}

func calmDown(ctx context.Context, d *demo) error {
	return script(func(*kustomersim.Script) {})(ctx, d)
}

// poisonShare makes some sixteen poison events: each costs up to 15 requests, and more than
// a hundred would be taken for something else, and meet the brake.
func (d *demo) poisonShare() float64 {
	const wanted = 16
	return min(0.5, wanted/(float64(d.rate)*d.troubleTime.Seconds()))
}

// key is the one that the API expects.
func (d *demo) key() string {
	if d.rotations == 0 {
		return firstKey
	}
	return fmt.Sprintf("%s-%d", firstKey, d.rotations)
}
