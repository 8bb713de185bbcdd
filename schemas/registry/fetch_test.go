package registry

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// bubble is a client and a fake where time is not real.
func bubble(t *testing.T, cfg Config, test func(t *testing.T, c *Client, f *fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{Registry: srfake.NewRegistry()}
		test(t, inMemory(t, cfg, http.HandlerFunc(f.serve)), f)
	})
}

// A registry that is down for an hour costs nothing but the wait.
func TestFetchWaitsOutAnOutage(t *testing.T) {
	bubble(t, Config{RetryMax: 30 * time.Second}, func(t *testing.T, c *Client, f *fake) {
		up := time.Now().Add(time.Hour)
		f.seed("a", 7, plain)
		var gaps []time.Duration
		last := time.Now()
		f.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			gaps, last = append(gaps, time.Since(last)), time.Now()
			if time.Now().After(up) {
				return false
			}
			w.WriteHeader([]int{500, 401, 302}[len(gaps)%3])
			return true
		})
		if s, err := c.Fetch(t.Context(), Number(7)); err != nil || s.Text != plain {
			t.Fatalf("%v %v", s, err)
		}
		if after := time.Since(up); after > 30*time.Second {
			t.Errorf("it came %v after the registry", after)
		}
		for i, g := range gaps {
			if most := min(30*time.Second, 250*time.Millisecond<<min(max(i-1, 0), 10)); g > most {
				t.Errorf("attempt %d came %v after the one before, at most %v", i, g, most)
			}
		}
		// Full jitter has a mean of 15 s: 240 attempts in the hour.
		if n := len(gaps); n < 150 || n > 400 {
			t.Errorf("%d attempts in an hour", n)
		}
	})
}

func TestFetchHeedsRetryAfter(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, c *Client, f *fake) {
		f.seed("a", 7, plain)
		start, n := time.Now(), 0
		f.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			if n++; n > 1 {
				return false
			}
			w.Header().Set("Retry-After", "999999")
			w.WriteHeader(429)
			return true
		})
		if _, err := c.Fetch(t.Context(), Number(7)); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// However short the grace time is, it is for asking again.
func TestFetchAsksAgainInAShortGrace(t *testing.T) {
	for _, grace := range []time.Duration{time.Second, 2 * time.Second, 10 * time.Second} {
		bubble(t, Config{UnknownGrace: grace}, func(t *testing.T, c *Client, f *fake) {
			time.AfterFunc(grace/2, func() { f.seed("a", 7, plain) })
			start := time.Now()
			if s, err := c.Fetch(t.Context(), Number(7)); err != nil || s.Text != plain || time.Since(start) >= grace {
				t.Errorf("grace %v: %v, %v after %v", grace, s, err, time.Since(start))
			}
		})
	}
}

// An id is given up when it has been unknown for the grace time, and then at once.
func TestFetchGivesUpTheUnknown(t *testing.T) {
	bubble(t, Config{UnknownTTL: 10 * time.Second, UnknownGrace: time.Minute}, func(t *testing.T, c *Client, f *fake) {
		start := time.Now()
		_, err := c.Fetch(t.Context(), Number(7))
		if e := fails[*UnknownError](t, err); !e.Since.Equal(start) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", e, time.Since(start))
		}
		if n := len(f.asked()); n != 7 {
			t.Errorf("%d requests", n)
		}
		time.Sleep(time.Hour)
		again := time.Now()
		_, err = c.Fetch(t.Context(), Number(7))
		if e := fails[*UnknownError](t, err); !e.Since.Equal(start) || time.Since(again) != 0 {
			t.Errorf("%v after %v", e, time.Since(again))
		}
		if n := len(f.asked()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// Ids are made up faster than they can be waited for: after one that was waited for in
// vain, others are believed to be unknown at once, for a while.
func TestFetchWaitsForOneUnknownOnly(t *testing.T) {
	bubble(t, Config{UnknownGrace: time.Minute}, func(t *testing.T, c *Client, f *fake) {
		took := func(id uint32) time.Duration {
			start := time.Now()
			_, err := c.Fetch(t.Context(), Number(id))
			fails[*UnknownError](t, err)
			return time.Since(start)
		}
		if got := took(1000); got != time.Minute {
			t.Fatalf("the first took %v", got)
		}
		for id := range uint32(500) {
			if got := took(id); got != 0 {
				t.Fatalf("another, id %d, took %v", id, got)
			}
		}
		time.Sleep(10 * time.Minute)
		if got := took(2001); got != time.Minute {
			t.Errorf("after ten minutes, another took %v", got)
		}
	})
}

// Patience comes back though an id that was waited for in vain is asked for all the
// time: that one is not waited for any more, so it says nothing of others.
func TestPatienceComesBackBesideAnIDThatStaysUnknown(t *testing.T) {
	bubble(t, Config{UnknownGrace: time.Minute}, func(t *testing.T, c *Client, f *fake) {
		ask := func(id uint32) {
			_, err := c.Fetch(t.Context(), Number(id))
			fails[*UnknownError](t, err)
		}
		ask(1000)
		for range 11 {
			time.Sleep(time.Minute)
			ask(1000)
		}
		start := time.Now()
		ask(2001)
		if got := time.Since(start); got != time.Minute {
			t.Errorf("eleven minutes after the last wait in vain, another id took %v, want a minute", got)
		}
	})
}

// A schema that comes late after all brings the patience back.
func TestLateSchemaBringsPatienceBack(t *testing.T) {
	bubble(t, Config{UnknownGrace: time.Minute}, func(t *testing.T, c *Client, f *fake) {
		late := make(chan error, 1)
		time.AfterFunc(55*time.Second, func() { // looks at 55 and 65 s
			_, err := c.Fetch(t.Context(), Number(2000))
			late <- err
		})
		_, err := c.Fetch(t.Context(), Number(1000)) // in vain, at 60 s
		fails[*UnknownError](t, err)
		f.seed("a", 2000, plain)
		if err := <-late; err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = c.Fetch(t.Context(), Number(2001))
		fails[*UnknownError](t, err)
		if got := time.Since(start); got != time.Minute {
			t.Errorf("the next one took %v", got)
		}
	})
}

// An id that turns up within the grace time is none that was lost.
func TestFetchWaitsForALateSchema(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, c *Client, f *fake) {
		time.AfterFunc(25*time.Second, func() { f.seed("a", 7, plain) })
		start := time.Now()
		if _, err := c.Fetch(t.Context(), Number(7)); err != nil || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// An outage is not held against an id: the grace time may end in it, but only an
// answer gives the id up.
func TestOutageGivesNothingUp(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, c *Client, f *fake) {
		start := time.Now()
		f.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			down := time.Since(start) > 15*time.Second && time.Since(start) < time.Hour
			if down {
				w.WriteHeader(503)
			}
			return down
		})
		_, err := c.Fetch(t.Context(), Number(7))
		if e := fails[*UnknownError](t, err); !e.Since.Equal(start) || time.Since(start) < time.Hour {
			t.Errorf("%v after %v", e, time.Since(start))
		}
	})
}

// Other ids may push an unknown one out of the table; Fetch remembers it.
func TestFetchRemembersTheUnknown(t *testing.T) {
	bubble(t, Config{MaxEntries: 1}, func(t *testing.T, c *Client, _ *fake) {
		start := time.Now()
		stop := make(chan struct{})
		go func() {
			for id := uint32(100); ; id++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
					_, _ = c.Schema(context.Background(), Number(id))
				}
			}
		}()
		_, err := c.Fetch(t.Context(), Number(7))
		close(stop)
		if e := fails[*UnknownError](t, err); !e.Since.Equal(start) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", e, time.Since(start))
		}
	})
}

func TestFetchEnds(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, c *Client, f *fake) {
		f.answer(say(500, ""))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := c.Fetch(ctx, Number(7)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if len(c.Problems()) != 1 {
			t.Error("no problem while it is tried")
		}
		time.Sleep(expireAfter + time.Minute)
		if ps := c.Problems(); ps != nil {
			t.Errorf("nobody asks any more: %v", ps)
		}
		f.ClearInterceptors()
		f.plant("a", 7, record("A"), sr.SchemaReference{Subject: "b"})
		start := time.Now()
		_, err := c.Fetch(t.Context(), Number(7))
		fails[*UnusableError](t, err)
		if time.Since(start) != 0 {
			t.Error("it waited for what does not change")
		}
	})
}
