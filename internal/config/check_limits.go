package config

import (
	"fmt"
	"net"
	"strings"
	"time"
)

func (r *reader) checkLimits(c *Config) {
	l := &c.Limits
	if l.MaxEventBytes > l.MaxOpenBytes {
		r.clash([]string{"limits.max_event_bytes", "limits.max_open_bytes"},
			"%s is above %s; one such event could never be held",
			r.at("limits.max_event_bytes", l.MaxEventBytes), r.at("limits.max_open_bytes", l.MaxOpenBytes))
	}
	if l.MaxEventBytes > l.MaxBatchBytes {
		r.clash([]string{"limits.max_event_bytes", "limits.max_batch_bytes"},
			"%s is above %s; one such event would stop its partition",
			r.at("limits.max_event_bytes", l.MaxEventBytes), r.at("limits.max_batch_bytes", l.MaxBatchBytes))
	}
	if c.Batch.MaxBytes > l.MaxOpenBytes {
		r.clash([]string{"batch.max_bytes", "limits.max_open_bytes"},
			"%s is above %s; a batch could never grow to it",
			r.at("batch.max_bytes", c.Batch.MaxBytes), r.at("limits.max_open_bytes", l.MaxOpenBytes))
	}
	if c.Batch.MaxItems > l.MaxOpenEvents {
		r.clash([]string{"batch.max_items", "limits.max_open_events"},
			"%s is above %s; a batch could never grow to it",
			r.at("batch.max_items", c.Batch.MaxItems), r.at("limits.max_open_events", l.MaxOpenEvents))
	}
	for i, member := range c.Batch.Merge.Barrier {
		if member == "" {
			r.fault(fmt.Sprintf("batch.merge.barrier[%d]", i), "is empty; name a member of a change, such as status")
		}
	}
}

// checkTimes keeps the times within those that the group and shutdown give.
func (r *reader) checkTimes(c *Config) {
	if c.RevokeTimeout+CommitDeadline >= RebalanceTimeout {
		r.fault("revoke_timeout",
			"%s and the %s that the last commit may take come to %s, which is not below the %s after which the group gives the partitions away; keep it under %s",
			short(c.RevokeTimeout), short(CommitDeadline), short(c.RevokeTimeout+CommitDeadline),
			short(RebalanceTimeout), short(RebalanceTimeout-CommitDeadline))
	}
	if c.DrainTimeout <= CommitDeadline {
		r.fault("drain_timeout", "%s is not above the %s that the last commit may take, which is part of it",
			short(c.DrainTimeout), short(CommitDeadline))
	}
	if least := LeaseMargin + 2*HeartbeatInterval; c.Source.SessionTimeout < least {
		r.fault("source.session_timeout",
			"%s is below %s: two heartbeats of %s and the %s by which writing stops before the session ends",
			short(c.Source.SessionTimeout), short(least), short(HeartbeatInterval), short(LeaseMargin))
	}
}

func (r *reader) checkAdmin(a *Admin) {
	if a.Listen == "" {
		if a.PProf {
			r.fault("admin.pprof", "has no effect while admin.listen is \"\"")
		}
		return
	}
	shown := r.shown("admin.listen", a.Listen)
	host, port, err := net.SplitHostPort(a.Listen)
	if err != nil || strings.ContainsFunc(host, notInHost) {
		r.fault("admin.listen", "%s is not host:port, as in :8080 or 127.0.0.1:8080; \"\" switches it off", shown)
		return
	}
	if fault := portFault(port); fault != "" && port != "0" {
		r.fault("admin.listen", "%s %s, or 0 for any that is free", shown, fault)
	}
}

// short writes a duration without the zeros that String puts at its end.
func short(d time.Duration) string {
	text := d.String()
	if d%time.Minute == 0 && d != 0 {
		text = text[:len(text)-len("0s")]
	}
	if d%time.Hour == 0 && d != 0 {
		text = text[:len(text)-len("0m")]
	}
	return text
}
