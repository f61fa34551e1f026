-- What a log of schema 1 was made of. Frozen.
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
CREATE TABLE "calls" ("call_id" VARCHAR NOT NULL, "customer" VARCHAR, "client" VARCHAR, "line" VARCHAR, "line_group" VARCHAR, "site" VARCHAR, "queue" VARCHAR, "service" VARCHAR, "tier" VARCHAR, "arrived_at" TIMESTAMP NOT NULL, "answered_at" TIMESTAMP, "ended_at" TIMESTAMP, "menu_s" DOUBLE, "wait_s" DOUBLE, "talk_s" DOUBLE, "hold_s" DOUBLE, "wrap_s" DOUBLE, "outcome" VARCHAR NOT NULL, "agent" VARCHAR, "transfer" VARCHAR, "parent_call_id" VARCHAR, "ended_by" VARCHAR);
CREATE TABLE "self_service" ("event_id" VARCHAR NOT NULL, "customer" VARCHAR, "channel" VARCHAR NOT NULL, "stage" VARCHAR NOT NULL, "service" VARCHAR, "call_id" VARCHAR, "at" TIMESTAMP NOT NULL, "accepted" BOOLEAN NOT NULL, "delivered" BOOLEAN, "completed" BOOLEAN);
CREATE TABLE "services" ("service" VARCHAR NOT NULL, "name" VARCHAR, "name_zh" VARCHAR, "kind" VARCHAR, "sms_assist_before_on" DATE, "sms_assist_during_on" DATE, "sms_hall_on" DATE, "web_hall_on" DATE, "app_on" DATE);
CREATE TABLE "agents" ("agent" VARCHAR NOT NULL, "hired_on" DATE, "left_on" DATE, "site" VARCHAR, "employer" VARCHAR, "team" VARCHAR, "cohort" VARCHAR, "skills" VARCHAR);
CREATE TABLE "agent_states" ("agent" VARCHAR NOT NULL, "state" VARCHAR NOT NULL, "started_at" TIMESTAMP NOT NULL, "ended_at" TIMESTAMP);
CREATE TABLE "reminders" ("customer" VARCHAR NOT NULL, "kind" VARCHAR NOT NULL, "wave" VARCHAR, "sent_at" TIMESTAMP NOT NULL);
CREATE TABLE "rollouts" ("unit_kind" VARCHAR NOT NULL, "unit" VARCHAR NOT NULL, "treatment" VARCHAR NOT NULL, "planned_on" DATE, "live_on" DATE, "randomised" BOOLEAN);
CREATE TABLE "reviews" ("review_id" VARCHAR NOT NULL, "call_id" VARCHAR, "agent" VARCHAR, "reviewer" VARCHAR, "item" VARCHAR NOT NULL, "passed" BOOLEAN, "critical" BOOLEAN, "sampled" VARCHAR, "at" TIMESTAMP);
CREATE TABLE "surveys" ("call_id" VARCHAR NOT NULL, "channel" VARCHAR NOT NULL, "sent_at" TIMESTAMP, "answered_at" TIMESTAMP, "score" DOUBLE);
CREATE TABLE "trainings" ("agent" VARCHAR NOT NULL, "course" VARCHAR NOT NULL, "on" DATE NOT NULL, "hours" DOUBLE, "cost" DOUBLE);
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
INSERT INTO meta VALUES (1, '0.1.0', 'Asia/Shanghai', TIMESTAMP '2025-01-01');
