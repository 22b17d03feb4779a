namespace Mesh.Gateway.Errors;

/// <summary>One way in which the gateway itself turns a request down: what the client sees, apart from the message.</summary>
/// <param name="Status">HTTP status, 400–599.</param>
/// <param name="Type">OpenAI's <c>error.type</c>.</param>
/// <param name="Reason">Stable snake-case name: <c>error.code</c>, header <c>x-mesh-reason</c> and metric label.</param>
/// <param name="Param">OpenAI's <c>error.param</c>: the body's field that is to blame; null without one.</param>
internal sealed record GatewayError(int Status, string Type, string Reason, string? Param = null);
