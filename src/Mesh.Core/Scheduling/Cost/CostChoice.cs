using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>The cheapest endpoint for a request.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="CostMs">Its cost, what waits in the pool for it counted as if it came first.</param>
/// <param name="OwnMs">Predicted time of this prompt's uncached part there.</param>
/// <param name="TableMs">The same by the step-time table, without what was learned of the endpoint.</param>
/// <param name="CachedTokens">Prompt tokens that it is believed to hold.</param>
/// <param name="IsOnly">True when there was no other candidate.</param>
internal readonly record struct CostChoice(EndpointState Endpoint, double CostMs, double OwnMs, double TableMs, int CachedTokens, bool IsOnly);
