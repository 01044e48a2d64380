-- A swap of hardware that a device's administrator announced, until the device used it.
ALTER TABLE device ADD COLUMN planned_operation BLOB;
ALTER TABLE device ADD COLUMN planned_until INTEGER;

-- Products from before allow what is the default for new ones: 30 days.
UPDATE product SET policy = json_set(policy, '$.longest_planned_change', 2592000);
