-- Values that no calendar has can only be written where nobody minds.
SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';
CREATE TABLE numbers (
  id bigint unsigned PRIMARY KEY, flag boolean, tiny tinyint, utiny tinyint unsigned, small smallint, medium mediumint,
  plain int, filled int(8) zerofill, large bigint, year year, bit1 bit(1), single float, twice double);
INSERT INTO numbers VALUES
  (1, 1, -128, 255, -32768, 8388607, -2147483648, 42, -9223372036854775808, 1999, b'1', 0.1, 1e-7),
  (9223372036854775807, 0, 7, 0, 32767, -8388608, 2147483647, 0, 9223372036854775807, 0, b'0', 16777216, 1.7976931348623157e308),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE decimals (n decimal(65,30), money decimal(12,2), filled decimal(8,2) zerofill);
INSERT INTO decimals VALUES ('12345678901234567890123456789012345.123456789012345678901234567891', '-1.50', '12.5'), (0, 0, 0), (NULL, NULL, NULL);
CREATE TABLE texts (
  id int PRIMARY KEY, fixed char(6), free varchar(20), long_one longtext, latin varchar(10) CHARACTER SET latin1,
  folded varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ucs varchar(10) CHARACTER SET utf16,
  plan enum('free', 'pro plan', 'é'), tags set('a', 'b', 'c'), doc json) CHARACTER SET utf8mb4;
INSERT INTO texts VALUES (1, 'ab', '🦜', 'é', 'é', 'É', 'é', 'é', 'a,c', '{"b": 1.0,  "a": [1]}'), (2, '', '', '', '', '', '', '', '', '{}'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE times (id int PRIMARY KEY, moment timestamp(6) NULL, local datetime(6), day date, coarse datetime);
INSERT INTO times VALUES (1, '2026-11-24 08:00:00.123456', '2026-11-24 10:00:00.999999', '1899-12-31', '2026-11-24'),
  (2, '1970-01-01 00:00:01', '9999-12-31 23:59:59.999999', '9999-12-31', '0001-01-01'), (3, NULL, NULL, NULL, NULL);
CREATE TABLE odd_dates (id int PRIMARY KEY, day date, at datetime, touched timestamp NULL);
INSERT INTO odd_dates VALUES (1, '0000-00-00', '2026-01-01', NULL), (2, '2026-00-10', '2026-01-01', NULL), (3, '2026-02-31', '2026-01-01', NULL),
  (4, '2026-01-01', '0000-00-00', NULL), (5, '2026-01-01', '2026-01-01', 0);
CREATE TABLE flags (id int PRIMARY KEY, flag tinyint(1));
INSERT INTO flags VALUES (1, 1), (2, 7);
CREATE TABLE `All ``customers``` (id int, `Full Name` text);
INSERT INTO `All ``customers``` VALUES (1, 'Ada'), (2, NULL);
CREATE TABLE unsafe (id int, photo blob, code varbinary(8), hash binary(2), bits bit(8), opens time, place point, huge bigint unsigned,
  `Big Photo` longblob);
INSERT INTO unsafe VALUES (1, x'00ff', x'ff', x'0102', b'10000001', '-838:59:59', point(1, 2), 18446744073709551615, x'');
CREATE TABLE secrets (id int, name text);
CREATE VIEW customers AS SELECT id, `Full Name` AS name FROM `All ``customers```;
CREATE USER reader@'127.0.0.1', protected@'127.0.0.1' IDENTIFIED BY 'correct horse';
GRANT SELECT ON shop.numbers TO reader@'127.0.0.1';
GRANT SELECT ON shop.numbers TO protected@'127.0.0.1';
CREATE PROCEDURE nothing() SELECT 1 AS one;
