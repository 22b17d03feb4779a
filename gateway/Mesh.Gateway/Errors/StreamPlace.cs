namespace Mesh.Gateway.Errors;

/// <summary>Where a stream stands that must end with an error event.</summary>
/// <param name="IsInsideEvent">True when the client is within a line or an event, which must be ended first.</param>
/// <param name="NextSequence">Number of the next event, in streams that count them.</param>
/// <param name="RequestId">The request's id.</param>
internal readonly record struct StreamPlace(bool IsInsideEvent, long NextSequence = 0, string? RequestId = null);
