-- What a log of schema 3 was made of. Frozen.
CREATE TABLE meta (
    schema_version INTEGER NOT NULL, package_version VARCHAR NOT NULL,
    time_zone VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL);
CREATE SEQUENCE load_numbers;
CREATE TABLE loads (
    load BIGINT NOT NULL DEFAULT nextval('load_numbers'), file VARCHAR NOT NULL,
    source VARCHAR NOT NULL, "table" VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL,
    settings VARCHAR NOT NULL, "read" BIGINT NOT NULL, loaded BIGINT NOT NULL,
    duplicates BIGINT NOT NULL, rejected BIGINT NOT NULL, "at" TIMESTAMP NOT NULL);
CREATE TABLE rejects (
    load BIGINT NOT NULL, line BIGINT NOT NULL, raw VARCHAR NOT NULL, reasons VARCHAR[] NOT NULL);
CREATE TABLE remarks (load BIGINT NOT NULL, remark VARCHAR NOT NULL, "rows" BIGINT NOT NULL);
CREATE TABLE adjustments (
    load BIGINT NOT NULL, "table" VARCHAR NOT NULL, "rows" BIGINT NOT NULL);
CREATE TABLE identifiers (kept VARCHAR NOT NULL, key_check VARCHAR);
CREATE TABLE forgotten (
    "at" TIMESTAMP NOT NULL, before DATE NOT NULL, "table" VARCHAR NOT NULL,
    "rows" BIGINT NOT NULL);
CREATE TABLE "calls" ("call_id" VARCHAR NOT NULL, "customer" VARCHAR, "client" VARCHAR, "line" VARCHAR, "line_group" VARCHAR, "site" VARCHAR, "queue" VARCHAR, "service" VARCHAR, "tier" VARCHAR, "arrived_at" TIMESTAMP NOT NULL, "answered_at" TIMESTAMP, "ended_at" TIMESTAMP, "menu_s" DOUBLE, "wait_s" DOUBLE, "talk_s" DOUBLE, "hold_s" DOUBLE, "wrap_s" DOUBLE, "outcome" VARCHAR NOT NULL, "agent" VARCHAR, "transfer" VARCHAR, "parent_call_id" VARCHAR, "ended_by" VARCHAR, "updated_at" TIMESTAMP);
CREATE TABLE "queue_events" ("event_id" VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL, "place" BIGINT NOT NULL, "call_id" VARCHAR, "queue" VARCHAR, "agent" VARCHAR, "event" VARCHAR NOT NULL, "customer" VARCHAR, "wait_s" DOUBLE, "talk_s" DOUBLE, "ring_s" DOUBLE, "position" BIGINT, "original_position" BIGINT, "info" VARCHAR);
CREATE TABLE "interval_counts" ("queue" VARCHAR NOT NULL, "media" VARCHAR NOT NULL, "started_at" TIMESTAMP NOT NULL, "interval_s" DOUBLE NOT NULL, "offered" BIGINT, "answered" BIGINT, "abandoned" BIGINT, "short_abandoned" BIGINT, "flowed_out" BIGINT, "answered_in_time" BIGINT, "late" BIGINT, "counted" BIGINT, "within_s" DOUBLE, "handled" BIGINT, "answered_wait_s" DOUBLE, "abandoned_wait_s" DOUBLE, "talk_s" DOUBLE, "hold_s" DOUBLE, "wrap_s" DOUBLE, "handle_s" DOUBLE, "staffed_s" DOUBLE, "available_s" DOUBLE);
CREATE TABLE "self_service" ("event_id" VARCHAR NOT NULL, "customer" VARCHAR, "channel" VARCHAR NOT NULL, "stage" VARCHAR NOT NULL, "service" VARCHAR, "call_id" VARCHAR, "at" TIMESTAMP NOT NULL, "accepted" BOOLEAN NOT NULL, "delivered" BOOLEAN, "completed" BOOLEAN);
CREATE TABLE "services" ("service" VARCHAR NOT NULL, "name" VARCHAR, "name_zh" VARCHAR, "kind" VARCHAR, "sms_assist_before_on" DATE, "sms_assist_during_on" DATE, "sms_hall_on" DATE, "web_hall_on" DATE, "app_on" DATE);
CREATE TABLE "customers" ("customer" VARCHAR NOT NULL, "province" VARCHAR, "prefecture" VARCHAR, "tier" VARCHAR, "bill_day" BIGINT, "joined_on" DATE, "left_on" DATE);
CREATE TABLE "subscriptions" ("customer" VARCHAR NOT NULL, "kind" VARCHAR NOT NULL, "started_on" DATE NOT NULL, "ended_on" DATE, "source" VARCHAR);
CREATE TABLE "days" ("on" DATE NOT NULL, "workday" BOOLEAN, "holiday" VARCHAR, "make_up" BOOLEAN, "bill_run" BOOLEAN, "campaign" VARCHAR);
CREATE TABLE "contracts" ("client" VARCHAR NOT NULL, "from_on" DATE NOT NULL, "price" DOUBLE, "service_level" DOUBLE, "within_s" DOUBLE, "window_days" BIGINT, "penalty" DOUBLE);
CREATE TABLE "agents" ("agent" VARCHAR NOT NULL, "hired_on" DATE, "left_on" DATE, "site" VARCHAR, "employer" VARCHAR, "team" VARCHAR, "cohort" VARCHAR, "skills" VARCHAR);
CREATE TABLE "agent_states" ("agent" VARCHAR NOT NULL, "state" VARCHAR NOT NULL, "started_at" TIMESTAMP NOT NULL, "ended_at" TIMESTAMP);
CREATE TABLE "schedules" ("agent" VARCHAR NOT NULL, "activity" VARCHAR NOT NULL, "started_at" TIMESTAMP NOT NULL, "ended_at" TIMESTAMP);
CREATE TABLE "reminders" ("customer" VARCHAR NOT NULL, "kind" VARCHAR NOT NULL, "wave" VARCHAR, "sent_at" TIMESTAMP NOT NULL);
CREATE TABLE "rollouts" ("unit_kind" VARCHAR NOT NULL, "unit" VARCHAR NOT NULL, "treatment" VARCHAR NOT NULL, "planned_on" DATE, "live_on" DATE, "randomised" BOOLEAN);
CREATE TABLE "reviews" ("review_id" VARCHAR NOT NULL, "call_id" VARCHAR, "agent" VARCHAR, "reviewer" VARCHAR, "item" VARCHAR NOT NULL, "passed" BOOLEAN, "critical" BOOLEAN, "sampled" VARCHAR, "at" TIMESTAMP);
CREATE TABLE "surveys" ("call_id" VARCHAR NOT NULL, "channel" VARCHAR NOT NULL, "sent_at" TIMESTAMP, "answered_at" TIMESTAMP, "score" DOUBLE);
CREATE TABLE "trainings" ("agent" VARCHAR NOT NULL, "course" VARCHAR NOT NULL, "on" DATE NOT NULL, "hours" DOUBLE, "cost" DOUBLE);
CREATE TABLE "assessments" ("agent" VARCHAR NOT NULL, "instrument" VARCHAR NOT NULL, "course" VARCHAR, "occasion" VARCHAR, "at" TIMESTAMP NOT NULL, "score" DOUBLE);
CREATE TABLE "articles" ("agent" VARCHAR NOT NULL, "call_id" VARCHAR, "article" VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL);
CREATE TABLE "tickets" ("ticket" VARCHAR NOT NULL, "call_id" VARCHAR, "customer" VARCHAR, "service" VARCHAR, "opened_at" TIMESTAMP NOT NULL, "closed_at" TIMESTAMP, "reopened" BOOLEAN, "owner" VARCHAR);
CREATE TABLE "line_groups" ("site" VARCHAR, "line_group" VARCHAR NOT NULL, "lines" BIGINT, "from_on" DATE NOT NULL);
CREATE VIEW base AS
SELECT *,
    epoch_us(arrived_at) // 1000000 AS arrived_epoch,
    CAST(epoch_us(answered_at) // 1000 AS BIGINT) AS answered_ms,
    CAST(epoch_us(arrived_at) // 1000 AS BIGINT) AS arrived_ms,
    CAST(epoch_us(ended_at) // 1000 AS BIGINT) AS ended_ms,
    outcome = 'answered' AS is_answered,
    outcome = 'abandoned' AS is_abandoned,
    outcome IN ('answered', 'abandoned', 'overflowed', 'call_back') AS is_offered,
    CASE WHEN outcome = 'answered'
        THEN talk_s + coalesce(hold_s, 0) + coalesce(wrap_s, 0) END AS handle_s
FROM calls;
CREATE VIEW events AS
SELECT *, epoch_us("at") // 1000000 AS at_epoch FROM self_service;
CREATE VIEW counted AS
SELECT *, epoch_us(started_at) // 1000000 AS started_epoch FROM interval_counts;
INSERT INTO meta VALUES (3, '0.1.0', 'Asia/Shanghai', TIMESTAMP '2025-01-01');
