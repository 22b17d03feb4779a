namespace Mesh.Simulation.Server;

/// <summary>An error as vLLM answers it: status and the OpenAI error object with a numeric code.</summary>
/// <param name="Status">HTTP status, also the object's <c>code</c>.</param>
/// <param name="Type">Error type.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Param">Field at fault; null when none is.</param>
internal sealed record ApiError(int Status, string Type, string Message, string? Param = null)
{
    public static ApiError BadRequest(string message, string? param = null) => new(400, "BadRequestError", message, param);

    public static ApiError NoSuchModel(string name) => new(404, "NotFoundError", $"The model `{name}` does not exist.", "model");

    public static ApiError QueueFull(int most) => new(503, "ServiceUnavailableError", $"The queue is full: {most} requests are waiting.");

    public static ApiError BodyTooLarge(long most) => new(413, "BadRequestError", $"The request body is larger than {most} bytes.");

    public static ApiError Internal(string message) => new(500, "InternalServerError", message);
}
