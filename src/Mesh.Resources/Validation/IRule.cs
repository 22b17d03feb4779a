using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Validation;

/// <summary>One rule over all objects. Rules are independent of each other and keep nothing.</summary>
internal interface IRule
{
    /// <summary>Reports every breach.</summary>
    void Check(World world, DiagnosticBag report);
}
