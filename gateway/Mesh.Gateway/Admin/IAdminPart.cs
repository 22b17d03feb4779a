using Mesh.Gateway.Keys;

namespace Mesh.Gateway.Admin;

/// <summary>
/// A part of the administrative API that stands in a folder of its own, such as one that changes something. Who may call it has been settled: a reader for GET and HEAD,
/// an operator for every other method.
/// </summary>
internal interface IAdminPart
{
    /// <summary>True for the paths that it answers: <c>/api/v1/NAME</c> and what is below.</summary>
    bool Owns(string path);

    /// <summary>Answers a request of any method.</summary>
    /// <param name="context">Request.</param>
    /// <param name="caller">Whose key it came with; null where no key is asked for.</param>
    Task HandleAsync(HttpContext context, Caller? caller);
}
