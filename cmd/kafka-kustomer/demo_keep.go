package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"go.uber.org/zap"
)

// stayUp leaves everything up until ctx ends, which then is no error. With scripted
// trouble, that comes round again; without, it is for whoever plays to make.
func (d *demo) stayUp(ctx context.Context, fail context.CancelCauseFunc, c *connector) error {
	d.show.sayAsIs(d.guide())
	wrong := 0
	if d.faults {
		d.rate = keepRate
		stop := background(func(stopped context.Context) {
			if err := d.feed.run(stopped, d.rate, 0); err != nil {
				fail(err)
			}
		})
		wrong = d.troubleForEver(ctx, fail)
		stop()
	}
	<-ctx.Done()
	if ended := context.Cause(ctx); ended != context.Canceled {
		return ended
	}
	d.show.say("stopping: what was sent is awaited first")
	if err := d.allWell(); err != nil {
		return err
	}
	if err := c.stop(); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("the connector did not come through %d troubles as it must", wrong)
	}
	return nil
}

// troubleForEver goes through all trouble until ctx ends, and returns how often
// something was wrong.
func (d *demo) troubleForEver(ctx context.Context, fail context.CancelCauseFunc) (wrong int) {
	for ctx.Err() == nil {
		d.verdicts = nil
		if err := d.goThrough(ctx, 2*d.troubleTime); err != nil {
			fail(err) // after the end of ctx that is too late to mean anything
		}
		for _, v := range d.verdicts {
			if !v.right() {
				wrong++
			}
		}
	}
	return wrong
}

// allWell ends whatever trouble there is, so that the connector can finish.
func (d *demo) allWell() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	d.feed.poison(0)
	return errors.Join(d.world.writeKey(d.key()), calmDown(ctx, d), d.world.api.reopen(ctx), d.world.schemas.front.reopen(ctx))
}

// guide is what there is to play with.
func (d *demo) guide() string {
	var b strings.Builder
	err := guide.Execute(&b, map[string]any{
		"Broker": d.world.kafka.ListenAddrs()[0], "API": "http://" + d.world.api.at, "Page": d.world.page,
		"Registry": d.world.schemas.url(), "Subject": d.world.schemas.subject,
		"Key": d.world.keyFile, "Log": d.logFile, "Faults": d.faults, "Rate": keepRate,
		"Topic": d.world.cfg.Source.Topics[0].Name, "Results": d.world.cfg.Results.Topic, "DeadLetters": d.world.cfg.DeadLetter.Topic,
		"ID": "5f2f3c1a9d1e8b0012345678",
	})
	if err != nil { // the template and its data stand here
		d.log.DPanic("the guide", zap.Error(err))
	}
	return b.String()
}

var guide = template.Must(template.New("guide").Parse(`
Everything stays up until Ctrl-C.
{{if .Faults}}{{.Rate}} events a second go on, and the troubles come round again and again. A script
of your own lasts until the next of them begins or ends; "demo --keep" alone leaves
the API to you.
{{end}}
  broker      {{.Broker}}
  registry    {{.Registry}}
  Kustomer    {{.API}}  /_sim/stats  /_sim/messages  /_sim/operations  /_sim/script
  connector   {{.Page}}/  /readyz  /metrics
{{- if .Log}}
  its log     {{.Log}}
{{- end}}
  its key     {{.Key}}

An event, what the connector tells of it, and what Kustomer holds then:

  echo '{{.ID}}|{"messageId":"{{.ID}}","changes":{"subject":"Re: order"}}' |
    kcat -b {{.Broker}} -t {{.Topic}} -P -K '|'
  kcat -b {{.Broker}} -t {{.Results}} -C -e -q | grep {{.ID}}
  curl {{.API}}/_sim/messages/{{.ID}}

An event that Kustomer refuses, and the dead letter with its words:

  echo '{{.ID}}|{"messageId":"{{.ID}}","changes":{"subject":"poison-422"}}' |
    kcat -b {{.Broker}} -t {{.Topic}} -P -K '|'
  kcat -b {{.Broker}} -t {{.DeadLetters}} -C -e -q -f '%k %s\n%h\n' | grep -A1 ^{{.ID}}

The schema of the events that are Avro:

  curl {{.Registry}}/subjects
  curl {{.Registry}}/subjects/{{.Subject}}/versions/latest

An outage, what the connector says of it once an event waits, and its end:

  curl -d '{"faults":[{"kind":"status","status":503,"body":"json","share":1}]}' {{.API}}/_sim/script
  curl {{.Page}}/readyz
  curl -d '{}' {{.API}}/_sim/script

Others are '{"faults":[{"kind":"cut_after","on":"put","share":0.3}]}', which
loses replies, '{"stalls":[{}]}', which runs no operation, and '{"key":"other"}',
which revokes the key until the key file holds the other one.
"kafka-kustomer simulate --help" lists them all.`))
