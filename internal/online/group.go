package online

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The words of the configuration that change what is checked.
const (
	startCommitted   = "committed"
	resetFail        = "fail"
	protocolConsumer = "consumer"
)

// metadataClean is the metadata of a commit with which a partition was given back in
// order. Whatever else stands there makes its next owner wait.
const metadataClean = "kk1 clean"

const keyConsumerGroupHeartbeat = 68 // of KIP-848

// patiently asks again while the group's coordinator is not there yet: a cluster gets
// one when it is asked for its first group, and one that starts reads its log first.
func patiently(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if !errors.Is(err, kerr.CoordinatorNotAvailable) && !errors.Is(err, kerr.CoordinatorLoadInProgress) && !errors.Is(err, kerr.NotCoordinator) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// group checks the right to read the group, with which members join it and commit.
// It sends a heartbeat for a member that does not exist: who may read the group is
// told that there is no such member.
func (k *cluster) group(ctx context.Context, c *Check) {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.Generation, req.MemberID = k.cfg.Group, -1, "kafka-kustomer-validate"
	err := patiently(ctx, func() error {
		resp, err := req.RequestWith(ctx, k.client)
		if err != nil {
			return err
		}
		if resp.ErrorCode == 0 {
			// So a coordinator answers that is still reading its log.
			return kerr.CoordinatorLoadInProgress
		}
		return kerr.ErrorForCode(resp.ErrorCode)
	})
	switch {
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.GroupIDNotFound),
		errors.Is(err, kerr.RebalanceInProgress), errors.Is(err, kerr.InconsistentGroupProtocol):
		c.found("%s may be joined and committed to", k.cfg.Group)
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		c.fail("grant Read on group "+k.cfg.Group+" to this program's Kafka user", "%s may not be joined or committed to", k.cfg.Group)
		return
	default:
		c.failForKafka("asking for group "+k.cfg.Group, err)
		return
	}
	k.members(ctx, c)
}

// members tells who is in the group.
func (k *cluster) members(ctx context.Context, c *Check) {
	described, err := k.admin.DescribeGroups(ctx, k.cfg.Group)
	g, ok := described[k.cfg.Group]
	if err != nil || !ok {
		return // it is not ours to describe
	}
	if allowed, told := may(g.AuthorizedOperations, kmsg.ACLOperationRead); told && !allowed {
		c.fail("grant Read on group "+k.cfg.Group+" to this program's Kafka user", "but Read is not among the operations that the brokers allow")
		return
	}
	if g.Err != nil || g.State == "Dead" {
		return // it does not exist yet, or speaks the other protocol
	}
	if g.ProtocolType != "" && g.ProtocolType != "consumer" {
		c.fail("choose another source.group", "it is a group of type %q, not of consumers", g.ProtocolType)
		return
	}
	c.found("%s; it is %s with %s", c.Found, strings.ToLower(g.State), plural(len(g.Members), "member"))
	if k.cfg.InstanceID == "" {
		return
	}
	for _, m := range g.Members {
		if m.InstanceID != nil && *m.InstanceID == k.cfg.InstanceID {
			c.warn("if that is not the process you are about to replace, give this one another source.instance_id",
				"a member with source.instance_id %s is in it (client %s at %s)", k.cfg.InstanceID, m.ClientID, m.ClientHost)
		}
	}
}

// standing is where a partition stands.
type standing struct {
	commits, missing, lost []string
	untold                 []string // Kafka does not say: of those without a leader, say
	lag                    int64
	open                   int // partitions that were not given back clean
}

// offsets compares what the group has committed with the logs.
func (k *cluster) offsets(ctx context.Context, c *Check) {
	var topics []string
	for _, t := range k.cfg.Sources {
		if _, err := k.topic(ctx, t); err == nil {
			topics = append(topics, t)
		}
	}
	if len(topics) == 0 {
		c.skip("no source topic can be asked for")
		return
	}
	var committed kadm.OffsetResponses
	err := patiently(ctx, func() (err error) {
		committed, err = k.admin.FetchOffsets(ctx, k.cfg.Group)
		return err
	})
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		c.failForKafka("asking for the offsets of group "+k.cfg.Group, err)
		return
	}
	start, err := k.admin.ListStartOffsets(ctx, topics...)
	end, err2 := k.admin.ListEndOffsets(ctx, topics...)
	if err := cmp.Or(err, err2); err != nil {
		c.failForKafka("asking where the logs begin and end", err)
		return
	}
	s := compare(start, end, committed)
	c.found("%d of %s have a commit, %d records behind", len(s.commits), plural(len(s.commits)+len(s.missing), "partition"), s.lag)
	if s.open > 0 {
		c.found("%s; %s not given back in order, so their first request waits for kustomer.lost_reply_wait if no member holds them now", c.Found, plural(s.open, "partition"))
	}
	if len(s.untold) > 0 {
		c.unproven("where Kafka has no answer: %s", few(s.untold))
	}
	if len(s.missing) > 0 && k.cfg.Start == startCommitted {
		c.fail("check source.group, or set source.start to earliest or latest", "source.start is committed, and there is none for %s", few(s.missing))
	}
	if len(s.lost) > 0 && k.cfg.OnReset == resetFail {
		c.fail("set source.on_reset to earliest, or move the offsets", "not in the log any more: %s; these partitions would stop", few(s.lost))
	} else if len(s.lost) > 0 {
		c.warn("check the topic's retention", "not in the log any more: %s; reading begins at its start", few(s.lost))
	}
}

func compare(start, end kadm.ListedOffsets, committed kadm.OffsetResponses) (s standing) {
	end.Each(func(e kadm.ListedOffset) {
		place := e.Topic + "/" + strconv.Itoa(int(e.Partition))
		first, _ := start.Lookup(e.Topic, e.Partition)
		o, ok := committed.Lookup(e.Topic, e.Partition)
		if err := cmp.Or(e.Err, first.Err, o.Err); err != nil {
			s.untold = append(s.untold, place+" ("+err.Error()+")")
			return
		}
		if !ok || o.At < 0 {
			s.missing = append(s.missing, place)
			s.lag += e.Offset - first.Offset
			return
		}
		s.commits = append(s.commits, place)
		s.lag += max(0, e.Offset-max(o.At, first.Offset))
		if o.At < first.Offset || o.At > e.Offset {
			s.lost = append(s.lost, fmt.Sprintf("%s@%d (%d to %d)", place, o.At, first.Offset, e.Offset))
		}
		if o.Metadata != metadataClean {
			s.open++
		}
	})
	slices.Sort(s.missing)
	slices.Sort(s.untold)
	slices.Sort(s.lost)
	return s
}

// few names at most five of a list.
func few(list []string) string {
	if n := len(list); n > 5 {
		return strings.Join(list[:5], ", ") + fmt.Sprintf(" and %d more", n-5)
	}
	return strings.Join(list, ", ")
}

// session checks source.session_timeout against the brokers' bounds.
func (k *cluster) session(ctx context.Context, c *Check) {
	ours := k.cfg.SessionTimeout
	const proof = "the brokers' bounds, which may not be read; grant DescribeConfigs on the cluster to have them checked"
	if k.cfg.Protocol == protocolConsumer {
		const key = "consumer.session.timeout.ms"
		values, err := k.configs(ctx, kmsg.ConfigResourceTypeGroupConfig, k.cfg.Group, key)
		ms, ok := values[key]
		switch theirs := time.Duration(ms) * time.Millisecond; {
		case err != nil || !ok:
			c.found("%v", ours)
			c.unproven("%s", proof)
		case ours > theirs:
			c.fail("set source.session_timeout to at most that, or raise "+key+" of the group", "%v, but the brokers end the session after %v", ours, theirs)
		default:
			c.found("%v, the brokers' is %v", ours, theirs)
		}
		return
	}
	const lowKey, highKey = "group.min.session.timeout.ms", "group.max.session.timeout.ms"
	values, err := map[string]int(nil), error(nil)
	if meta, unknown := k.admin.BrokerMetadata(ctx); unknown != nil || len(meta.Brokers) == 0 {
		err = unknown
	} else { // not the coordinator, which a new cluster may not have yet
		values, err = k.configs(ctx, kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(meta.Brokers[0].NodeID)), lowKey, highKey)
	}
	low, ok := values[lowKey]
	high, ok2 := values[highKey]
	least, most := time.Duration(low)*time.Millisecond, time.Duration(high)*time.Millisecond
	switch {
	case err != nil || !ok || !ok2:
		c.found("%v", ours)
		c.unproven("%s", proof)
	case ours < least || ours > most:
		c.fail("set source.session_timeout within that", "%v, but the brokers take %v to %v", ours, least, most)
	default:
		c.found("%v, the brokers take %v to %v", ours, least, most)
	}
}

func (k *cluster) protocol(ctx context.Context, c *Check) {
	if k.cfg.Protocol != protocolConsumer {
		c.found("classic")
		return
	}
	v, err := k.version(ctx)
	if err != nil {
		c.failForKafka("asking what the brokers can do", err)
		return
	}
	if _, ok := v.KeyMaxVersion(keyConsumerGroupHeartbeat); !ok {
		c.warn("set source.protocol to classic, or use Kafka 4.0 or later", "consumer (KIP-848) is not known to the brokers, so classic will be spoken")
		return
	}
	c.found("consumer (KIP-848)")
}
