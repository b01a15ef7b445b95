-- Refuses a caller whose configuration is not the present one: its ready sets may not be all there are.
if get('version') ~= version then return { 'stale' } end
